-- Adds what is staged to the running totals.
update shop_totals t set
    description_1 = t.description_1 + s.description_1,
    description_2 = t.description_2 + s.description_2,
    description_3 = t.description_3 + s.description_3,
    description_4 = t.description_4 + s.description_4,
    description_5 = t.description_5 + s.description_5,
    service_1 = t.service_1 + s.service_1,
    service_2 = t.service_2 + s.service_2,
    service_3 = t.service_3 + s.service_3,
    service_4 = t.service_4 + s.service_4,
    service_5 = t.service_5 + s.service_5,
    logistics_1 = t.logistics_1 + s.logistics_1,
    logistics_2 = t.logistics_2 + s.logistics_2,
    logistics_3 = t.logistics_3 + s.logistics_3,
    logistics_4 = t.logistics_4 + s.logistics_4,
    logistics_5 = t.logistics_5 + s.logistics_5,
    late = t.late + s.late,
    capped = t.capped + s.capped,
    removed = t.removed + s.removed,
    paid = t.paid + s.paid,
    refunded = t.refunded + s.refunded,
    on_sale = t.on_sale + s.on_sale,
    sold = t.sold + s.sold
from staged_totals s
where t.shop_key = s.shop_key
