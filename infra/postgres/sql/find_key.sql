-- A key by its id, with the digest of its secret.
select key_id, tenant_id, scopes, shop_ids, created_at, expires_at, revoked_at, secret_sha256
from api_keys
where key_id = $1
