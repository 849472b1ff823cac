-- Every tenant.
select tenant_id from tenants order by tenant_id
