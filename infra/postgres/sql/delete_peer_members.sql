-- Takes out what an earlier snapshot of the date said.
delete from peer_members where tenant_id = $1 and as_of = $2
