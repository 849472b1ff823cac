-- Inserts or locks the header of a snapshot; no row where one was taken at or after the given time.
insert into peer_snapshots as p (tenant_id, as_of, taken_at, shops, groups, metrics)
values ($1, $2, $3, 0, 0, '{}')
on conflict (tenant_id, as_of)
do update set taken_at = excluded.taken_at
where $4::timestamptz is null or p.taken_at < $4::timestamptz
returning true
