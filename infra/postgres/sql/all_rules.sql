-- The newest version of each of a tenant's own rules, by name.
select distinct on (name) name, version, rules
from rule_versions
where tenant_id = $1
order by name, version desc
