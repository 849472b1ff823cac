-- Deletes the members of an earlier snapshot of the date.
delete from peer_members where tenant_id = $1 and as_of = $2
