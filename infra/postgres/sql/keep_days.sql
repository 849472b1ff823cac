-- Gives rows of their own to the days that stand beside running totals, where they add anything.
insert into other_days (
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
where shop_key = any($1::text::bigint[]) and (
        day_description_1, day_description_2, day_description_3, day_description_4,
        day_description_5, day_service_1, day_service_2, day_service_3, day_service_4,
        day_service_5, day_logistics_1, day_logistics_2, day_logistics_3, day_logistics_4,
        day_logistics_5, day_late, day_capped, day_removed, day_paid, day_refunded, day_on_sale,
        day_sold
    ) is distinct from (
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    )
order by shop_key
