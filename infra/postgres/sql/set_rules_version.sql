-- Sets the version of its rules that a locked shop follows.
with changed as (
    update shops
    set rules_version = $3, revision = revision + 1
    where tenant_id = $1 and shop_id = $2
    returning shop_key, revision
)
update shop_totals t
set revision = changed.revision
from changed
where t.shop_key = changed.shop_key
