-- The number of a tenant's own sets of rules, by their first versions.
select count(*) from rule_versions where tenant_id = $1 and version = 1
