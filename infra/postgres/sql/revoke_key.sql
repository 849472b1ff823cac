-- Ends a key; one that has ended keeps its instant.
update api_keys
set revoked_at = coalesce(revoked_at, $3)
where tenant_id = $1 and key_id = $2
returning true
