-- Keeps others from storing shops or rules of a tenant until this transaction ends.
select from tenants where tenant_id = $1 for no key update
