-- Every rating of a shop, those that share a cap side by side.
select
    shop_key, review_id, buyer_id, month, time, completed_at, day,
    description, service, logistics, order_id, listing_id, null as comment, state
from ratings
where shop_key = $1
order by buyer_id, month
