-- Gives rows of their own to the days that stand beside running totals, where they add anything.
-- None has one yet. Should one have it, which is for verifying to find, the others go on.
insert into other_days as d (
    shop_key, day,
    description_1, description_2, description_3, description_4, description_5, service_1, service_2,
    service_3, service_4, service_5, logistics_1, logistics_2, logistics_3, logistics_4,
    logistics_5, late, capped, removed, paid, refunded, on_sale, sold
)
select
    shop_key, day,
    day_description_1, day_description_2, day_description_3, day_description_4, day_description_5,
    day_service_1, day_service_2, day_service_3, day_service_4, day_service_5, day_logistics_1,
    day_logistics_2, day_logistics_3, day_logistics_4, day_logistics_5, day_late, day_capped,
    day_removed, day_paid, day_refunded, day_on_sale, day_sold
from shop_totals
where shop_key = any($1::bigint[]) and (
        day_description_1, day_description_2, day_description_3, day_description_4,
        day_description_5, day_service_1, day_service_2, day_service_3, day_service_4,
        day_service_5, day_logistics_1, day_logistics_2, day_logistics_3, day_logistics_4,
        day_logistics_5, day_late, day_capped, day_removed, day_paid, day_refunded, day_on_sale,
        day_sold
    ) is distinct from (
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    )
order by shop_key
on conflict (shop_key, day) do update set
    description_1 = d.description_1 + excluded.description_1,
    description_2 = d.description_2 + excluded.description_2,
    description_3 = d.description_3 + excluded.description_3,
    description_4 = d.description_4 + excluded.description_4,
    description_5 = d.description_5 + excluded.description_5,
    service_1 = d.service_1 + excluded.service_1,
    service_2 = d.service_2 + excluded.service_2,
    service_3 = d.service_3 + excluded.service_3,
    service_4 = d.service_4 + excluded.service_4,
    service_5 = d.service_5 + excluded.service_5,
    logistics_1 = d.logistics_1 + excluded.logistics_1,
    logistics_2 = d.logistics_2 + excluded.logistics_2,
    logistics_3 = d.logistics_3 + excluded.logistics_3,
    logistics_4 = d.logistics_4 + excluded.logistics_4,
    logistics_5 = d.logistics_5 + excluded.logistics_5,
    late = d.late + excluded.late,
    capped = d.capped + excluded.capped,
    removed = d.removed + excluded.removed,
    paid = d.paid + excluded.paid,
    refunded = d.refunded + excluded.refunded,
    on_sale = d.on_sale + excluded.on_sale,
    sold = d.sold + excluded.sold
