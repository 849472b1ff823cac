-- Every removal and restoral of a shop.
select shop_key, review_id, time, removes, reason, note
from tenant_moderations
where tenant_id = $1 and shop_key = $2
