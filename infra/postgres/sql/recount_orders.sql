-- Every order of a shop.
select shop_key, order_id, buyer_id, time, day, region, listing_ids, quantities, amounts
from orders
where shop_key = $1
