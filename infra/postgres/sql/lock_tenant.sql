-- Locks a tenant: nobody else stores its shops or rules until this transaction ends.
select from tenants where tenant_id = $1 for no key update
