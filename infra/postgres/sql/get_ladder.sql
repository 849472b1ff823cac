-- One ladder.
select currency, amounts
from ladders
where tenant_id = $1 and marketplace = $2 and category = $3
