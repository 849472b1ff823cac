-- Deletes and returns the totals of a day, which becomes the running day of the shops.
delete from daily_totals
where shop_key = any($1::bigint[]) and day = $2
returning shop_key, $counters
