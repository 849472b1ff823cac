-- Shops of a snapshot, many a row; each row's arrays come as texts, for they differ in length.
insert into peer_members (
    tenant_id, as_of, marketplace, category, currency, last_shop_key, shop_keys, sales, below
)
select
    $1::bigint, $2::date, marketplace, category, currency, last_shop_key,
    shop_keys::bigint[], sales::numeric[], below::integer[]
from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[])
    as given (marketplace, category, currency, last_shop_key, shop_keys, sales, below)
