-- Shops with their running totals, the running day included: one row a shop, no history.
select
    s.shop_key, s.revision,
    l.currency as ladder_currency, l.amounts::text as ladder_amounts,
    p.as_of, p.taken_at, p.mark,
    s.day, $read_counters
from unnest($1::bigint[], $2::bigint[]) as named (tenant_id, shop_key)
join tenant_shop_totals s on s.tenant_id = named.tenant_id and s.shop_key = named.shop_key
left join ladders l
    on l.tenant_id = s.tenant_id and l.marketplace = s.marketplace and l.category = s.category
-- A snapshot where there is no ladder. `xmin` tells it from a later one of the same date.
left join lateral (
    select as_of, taken_at, xmin::text as mark
    from peer_snapshots
    where l.currency is distinct from s.currency and tenant_id = s.tenant_id and as_of <= s.day
    order by as_of desc
    limit 1
) p on true
