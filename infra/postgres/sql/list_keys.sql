-- Keys of a tenant, newest first.
select key_id, tenant_id, scopes, shop_ids, created_at, expires_at, revoked_at
from api_keys
where tenant_id = $1
order by created_at desc, key_id
