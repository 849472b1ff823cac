-- Adds an act to the audit trail.
insert into audit_trail (tenant_id, at, who, what, objects) values ($1, $2, $3, $4, $5)
