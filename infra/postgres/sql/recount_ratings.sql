-- Every rating of a shop, those that share a cap side by side.
select
    shop_key, review_id, buyer_id, month, time, completed_at, day,
    description, service, logistics, order_id, listing_id, null as comment, state
from tenant_ratings
where tenant_id = $1 and shop_key = $2
order by month, buyer_id
