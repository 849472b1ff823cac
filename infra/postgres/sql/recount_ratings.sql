-- Every rating of a shop that is not retracted, by buyer and month, which share a cap.
select $ratings_without_comment, state
from tenant_ratings
where tenant_id = $1 and shop_key = $2 and day is not null
order by month, buyer_id
