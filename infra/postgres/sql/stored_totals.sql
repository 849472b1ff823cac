-- The running totals of a shop, their day, and the totals of that day.
select day, $counters, $day_counters
from shop_totals
where shop_key = $1
