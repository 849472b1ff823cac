-- The day totals of a shop without its running day, which is in `shop_totals`.
select day, $counters
from daily_totals
where shop_key = $1
