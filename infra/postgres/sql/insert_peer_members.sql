-- Shops of a snapshot, many a row; each row's arrays come as texts, which the driver writes fast.
insert into peer_members (
    tenant_id, as_of, marketplace, category, currency, last_shop_key,
    shop_keys, sales, description, service, logistics
)
select
    $1::bigint, $2::date, marketplace, category, currency, last_shop_key,
    shop_keys::bigint[], sales::bigint[],
    description::integer[], service::integer[], logistics::integer[]
from unnest(
    $3::text[], $4::text[], $5::text[], $6::bigint[],
    $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]
) as given (
    marketplace, category, currency, last_shop_key,
    shop_keys, sales, description, service, logistics
)
