-- The newest snapshot of tenants up to days; `xmin` tells it from a later one of the same date.
select requested.tenant_id, requested.day, p.as_of, p.taken_at, p.mark
from unnest($1::bigint[], $2::date[]) as requested (tenant_id, day)
cross join lateral (
    select as_of, taken_at, xmin::text as mark
    from peer_snapshots
    where tenant_id = requested.tenant_id and as_of <= requested.day
    order by as_of desc
    limit 1
) p
