-- One page of a tenant's snapshots, newest first.
select as_of, taken_at, shops, groups
from peer_snapshots
where tenant_id = $1 and ($2::date is null or as_of < $2)
order by as_of desc
limit $3
