-- The running totals of a shop, the day they stand for, and what that day adds.
select day, $counters, $day_counters
from shop_totals
where shop_key = $1
