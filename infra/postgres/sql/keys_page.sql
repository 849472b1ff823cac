-- One page of a tenant's keys, newest first, of those confined to some of a key's shops.
select key_id, tenant_id, scopes, shop_ids, created_at, expires_at, revoked_at
from api_keys
where tenant_id = $1
    and ($2::text[] is null or shop_ids <@ $2)
    and ($3::timestamptz is null or created_at < $3 or (created_at = $3 and key_id > $4))
order by created_at desc, key_id
limit $5
