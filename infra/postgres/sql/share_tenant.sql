-- Keeps a tenant's rules as they are until this transaction ends.
select from tenants where tenant_id = $1 for share
