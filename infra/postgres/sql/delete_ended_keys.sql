-- Deletes those of a tenant's keys that ended first, as far as it has more than it may have.
delete from api_keys
where key_id = any(array(
    select key_id
    from api_keys
    where tenant_id = $1 and least(expires_at, revoked_at) <= $2
    order by least(expires_at, revoked_at), key_id
    limit greatest((select count(*) from api_keys where tenant_id = $1) - $3, 0)
))
