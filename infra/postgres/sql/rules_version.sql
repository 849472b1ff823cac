-- One version of a tenant's rules.
select rules from rule_versions where tenant_id = $1 and name = $2 and version = $3
