-- The newest snapshot of tenants up to some days; `xmin` tells one taking of it from the next.
select asked.tenant_id, asked.day, p.as_of, p.taken_at, p.taking
from unnest($1::bigint[], $2::date[]) as asked (tenant_id, day)
cross join lateral (
    select as_of, taken_at, xmin::text as taking
    from peer_snapshots
    where tenant_id = asked.tenant_id and as_of <= asked.day
    order by as_of desc
    limit 1
) p
