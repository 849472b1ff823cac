-- Ends a key; one that has ended keeps its instant. Tells whether it ends now.
update api_keys
set revoked_at = coalesce(revoked_at, $3)
where tenant_id = $1 and key_id = $2
returning revoked_at = $3
