-- Whether a snapshot of a date was taken at or after a time: a row if so.
select taken_at from peer_snapshots where tenant_id = $1 and as_of = $2 and taken_at >= $3
