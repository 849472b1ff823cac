-- The number of a tenant's ladders.
select count(*) from ladders where tenant_id = $1
