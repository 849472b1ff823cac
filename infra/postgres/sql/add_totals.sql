-- Adds to day totals and to the running totals of locked shops, which are there. Rows come by key.
-- As an update the second might be planned as a pass over all shops.
with added_days as (
    insert into shop_days as d (
        shop_key, day,
        description_1, description_2, description_3, description_4, description_5, service_1,
        service_2, service_3, service_4, service_5, logistics_1, logistics_2, logistics_3,
        logistics_4, logistics_5, late, capped, removed, paid, refunded, on_sale, sold
    )
    select
        shop_key, day,
        description_1, description_2, description_3, description_4, description_5, service_1,
        service_2, service_3, service_4, service_5, logistics_1, logistics_2, logistics_3,
        logistics_4, logistics_5, late, capped, removed, paid, refunded, on_sale, sold
    from unnest($1::text::moved_totals[])
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
)
insert into shop_totals as t (
    shop_key, day,
    description_1, description_2, description_3, description_4, description_5, service_1,
    service_2, service_3, service_4, service_5, logistics_1, logistics_2, logistics_3,
    logistics_4, logistics_5, late, capped, removed, paid, refunded, on_sale, sold
)
select
    shop_key, day,
    description_1, description_2, description_3, description_4, description_5, service_1,
    service_2, service_3, service_4, service_5, logistics_1, logistics_2, logistics_3,
    logistics_4, logistics_5, late, capped, removed, paid, refunded, on_sale, sold
from unnest($2::text::moved_totals[])
on conflict (shop_key) do update set
    description_1 = t.description_1 + excluded.description_1,
    description_2 = t.description_2 + excluded.description_2,
    description_3 = t.description_3 + excluded.description_3,
    description_4 = t.description_4 + excluded.description_4,
    description_5 = t.description_5 + excluded.description_5,
    service_1 = t.service_1 + excluded.service_1,
    service_2 = t.service_2 + excluded.service_2,
    service_3 = t.service_3 + excluded.service_3,
    service_4 = t.service_4 + excluded.service_4,
    service_5 = t.service_5 + excluded.service_5,
    logistics_1 = t.logistics_1 + excluded.logistics_1,
    logistics_2 = t.logistics_2 + excluded.logistics_2,
    logistics_3 = t.logistics_3 + excluded.logistics_3,
    logistics_4 = t.logistics_4 + excluded.logistics_4,
    logistics_5 = t.logistics_5 + excluded.logistics_5,
    late = t.late + excluded.late,
    capped = t.capped + excluded.capped,
    removed = t.removed + excluded.removed,
    paid = t.paid + excluded.paid,
    refunded = t.refunded + excluded.refunded,
    on_sale = t.on_sale + excluded.on_sale,
    sold = t.sold + excluded.sold
