-- Replaces the definition of a locked shop.
with changed as (
    update shops
    set marketplace = $3, category = $4, currency = $5, time_zone = $6, kind = $7, opened_on = $8,
        rules = $9, rules_version = $10, revision = revision + 1
    where tenant_id = $1 and shop_id = $2
    returning shop_key, revision
)
update shop_totals t
set revision = changed.revision
from changed
where t.shop_key = changed.shop_key
