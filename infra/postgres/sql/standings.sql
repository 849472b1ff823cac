-- Shops with their running totals and what their running day adds: one row a shop, no history.
select
    s.shop_key, s.revision,
    l.currency as ladder_currency, l.amounts::text as ladder_amounts,
    p.as_of, p.taken_at, p.taking,
    t.day,
    t.description_1 + coalesce(d.description_1, 0) as description_1,
    t.description_2 + coalesce(d.description_2, 0) as description_2,
    t.description_3 + coalesce(d.description_3, 0) as description_3,
    t.description_4 + coalesce(d.description_4, 0) as description_4,
    t.description_5 + coalesce(d.description_5, 0) as description_5,
    t.service_1 + coalesce(d.service_1, 0) as service_1,
    t.service_2 + coalesce(d.service_2, 0) as service_2,
    t.service_3 + coalesce(d.service_3, 0) as service_3,
    t.service_4 + coalesce(d.service_4, 0) as service_4,
    t.service_5 + coalesce(d.service_5, 0) as service_5,
    t.logistics_1 + coalesce(d.logistics_1, 0) as logistics_1,
    t.logistics_2 + coalesce(d.logistics_2, 0) as logistics_2,
    t.logistics_3 + coalesce(d.logistics_3, 0) as logistics_3,
    t.logistics_4 + coalesce(d.logistics_4, 0) as logistics_4,
    t.logistics_5 + coalesce(d.logistics_5, 0) as logistics_5,
    t.late + coalesce(d.late, 0) as late,
    t.capped + coalesce(d.capped, 0) as capped,
    t.removed + coalesce(d.removed, 0) as removed,
    t.paid + coalesce(d.paid, 0) as paid,
    t.refunded + coalesce(d.refunded, 0) as refunded,
    t.on_sale + coalesce(d.on_sale, 0) as on_sale,
    t.sold + coalesce(d.sold, 0) as sold
from unnest($1::text::bigint[], $2::text::bigint[]) as named (tenant_id, shop_key)
join shops s on s.tenant_id = named.tenant_id and s.shop_key = named.shop_key
join tenant_shop_totals t on t.tenant_id = named.tenant_id and t.shop_key = s.shop_key
left join tenant_shop_days d
    on d.tenant_id = named.tenant_id and d.shop_key = s.shop_key and d.day = t.day
left join ladders l
    on l.tenant_id = s.tenant_id and l.marketplace = s.marketplace and l.category = s.category
-- Where no ladder serves, a snapshot does. `xmin` tells one taking of it from the next.
left join lateral (
    select as_of, taken_at, xmin::text as taking
    from peer_snapshots
    where l.currency is distinct from s.currency and tenant_id = s.tenant_id and as_of <= t.day
    order by as_of desc
    limit 1
) p on true
