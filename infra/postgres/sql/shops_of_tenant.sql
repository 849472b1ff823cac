-- The shops of a tenant, by key.
select shop_key, shop_id from shops where tenant_id = $1 order by shop_key
