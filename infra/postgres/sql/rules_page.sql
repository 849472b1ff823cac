-- One page of a tenant's own rules by name, each in its newest version.
select newest.name, newest.version, newest.rules
from (
    select name
    from rule_versions
    where tenant_id = $1 and version = 1 and name > $2
    order by name
    limit $3
) named
cross join lateral (
    select name, version, rules
    from rule_versions
    where tenant_id = $1 and name = named.name
    order by version desc
    limit 1
) newest
order by newest.name
