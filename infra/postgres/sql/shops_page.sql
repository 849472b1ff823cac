-- One page of a tenant's shops by id, of those open to a key, in a marketplace or category.
select
    tenant_id, shop_id, shop_key, marketplace, category, currency, time_zone, kind, opened_on,
    rules, rules_version
from shops
where tenant_id = $1
    and ($2::text[] is null or shop_id = any($2))
    and ($3::text is null or marketplace = $3)
    and ($4::text is null or category = $4)
    and shop_id > $5
order by shop_id
limit $6
