-- Locks a tenant for share: nobody stores its rules until this transaction ends.
select from tenants where tenant_id = $1 for share
