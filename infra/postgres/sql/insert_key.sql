-- Inserts a key; no row where the key is stored already.
insert into api_keys (key_id, tenant_id, scopes, shop_ids, created_at, expires_at, revoked_at, secret_sha256)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (key_id) do nothing
returning true
