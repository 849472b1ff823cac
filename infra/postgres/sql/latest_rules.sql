-- The newest version of a tenant's rules of each name.
select newest.name, newest.version, newest.rules
from unnest($2::text[]) as named (name)
cross join lateral (
    select name, version, rules
    from rule_versions
    where tenant_id = $1 and name = named.name
    order by version desc
    limit 1
) newest
