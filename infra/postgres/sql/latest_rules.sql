-- The newest version of a tenant's rules of each name.
select distinct on (name) name, version, rules
from rule_versions
where tenant_id = $1 and name = any($2::text[])
order by name, version desc
