-- Revokes a key unless it is revoked already; returns whether it is revoked now.
update api_keys k
set revoked_at = coalesce(k.revoked_at, $3)
from (
    select key_id, revoked_at
    from api_keys
    where tenant_id = $1 and key_id = $2 and ($4::text[] is null or shop_ids <@ $4)
    for update
) before
where k.key_id = before.key_id
returning before.revoked_at is null
