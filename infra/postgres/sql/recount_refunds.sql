-- Every refund of a shop.
select shop_key, refund_id, order_id, time, day, amount from refunds where shop_key = $1
