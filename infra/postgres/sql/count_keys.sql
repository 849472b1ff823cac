-- The number of a tenant's keys.
select count(*) from api_keys where tenant_id = $1
