-- Every removal and restoral of a shop.
select $moderations
from tenant_moderations
where tenant_id = $1 and shop_key = $2
