-- The audit trail of a tenant, newest first.
select at, who, what, objects
from audit_trail
where tenant_id = $1
order by at desc, entry desc
limit $2
