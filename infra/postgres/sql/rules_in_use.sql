-- The versions of rules that a tenant's shops follow.
select distinct rules, rules_version from shops where tenant_id = $1
