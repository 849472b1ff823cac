-- Inserts a new version of a tenant's rules.
insert into rule_versions (tenant_id, name, version, rules) values ($1, $2, $3, $4)
