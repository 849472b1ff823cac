-- The tenant of a name.
select tenant_id from tenants where name = $1
