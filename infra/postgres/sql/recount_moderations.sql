-- Every removal and restoral of a shop that is not retracted.
select $moderations
from tenant_moderations
where tenant_id = $1 and shop_key = $2 and day is not null
