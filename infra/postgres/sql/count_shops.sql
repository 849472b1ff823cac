-- The number of a tenant's shops.
select count(*) from shops where tenant_id = $1
