-- Shops whose ratings have states by an older version of their rules than the newest.
select s.tenant_id, s.shop_id
from shops s
where ($1::bigint is null or s.tenant_id = $1)
    and ($2::text is null or s.rules = $2)
    and exists (
        select from rule_versions v
        where v.tenant_id = s.tenant_id and v.name = s.rules and v.version > s.rules_version
    )
order by s.shop_key
