-- Takes out what a day adds to shops, to stand beside their running totals.
delete from daily_totals
where shop_key = any($1::bigint[]) and day = $2
returning shop_key, $counters
