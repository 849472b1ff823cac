-- Every removal and restoral of a shop.
select shop_key, review_id, time, removes, reason, note from moderations where shop_key = $1
