-- Takes out what a day adds to shops, to stand beside their running totals.
delete from other_days
where shop_key = any($1::bigint[]) and day = $2
returning
    shop_key,
    description_1, description_2, description_3, description_4, description_5, service_1, service_2,
    service_3, service_4, service_5, logistics_1, logistics_2, logistics_3, logistics_4,
    logistics_5, late, capped, removed, paid, refunded, on_sale, sold
