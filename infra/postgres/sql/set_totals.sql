-- Replaces the running totals of shops by others.
update shop_totals t set
    day = s.day,
    description_1 = s.description_1,
    description_2 = s.description_2,
    description_3 = s.description_3,
    description_4 = s.description_4,
    description_5 = s.description_5,
    service_1 = s.service_1,
    service_2 = s.service_2,
    service_3 = s.service_3,
    service_4 = s.service_4,
    service_5 = s.service_5,
    logistics_1 = s.logistics_1,
    logistics_2 = s.logistics_2,
    logistics_3 = s.logistics_3,
    logistics_4 = s.logistics_4,
    logistics_5 = s.logistics_5,
    late = s.late,
    capped = s.capped,
    removed = s.removed,
    paid = s.paid,
    refunded = s.refunded,
    on_sale = s.on_sale,
    sold = s.sold
from unnest($1::text::moved_totals[]) s
where t.shop_key = s.shop_key
