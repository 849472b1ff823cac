-- One page of the audit trail of a tenant, newest first, between two instants.
select at, entry, who, what, objects
from audit_trail
where tenant_id = $1 and at >= $2 and at < $3 and (at, entry) < ($4, $5)
order by at desc, entry desc
limit $6
