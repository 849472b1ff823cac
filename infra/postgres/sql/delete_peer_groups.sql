-- Deletes the groups of an earlier snapshot of the date.
delete from peer_groups where tenant_id = $1 and as_of = $2
