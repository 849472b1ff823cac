-- Completes the header of a snapshot.
update peer_snapshots set shops = $3, groups = $4, metrics = $5 where tenant_id = $1 and as_of = $2
