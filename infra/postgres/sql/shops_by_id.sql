-- Shops of a tenant by id.
select
    tenant_id, shop_id, shop_key, marketplace, category, currency, time_zone, kind, opened_on,
    rules, rules_version
from shops
where tenant_id = $1 and shop_id = any($2::text[])
