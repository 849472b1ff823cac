-- The day totals of a shop, but for those that stand beside its running totals.
select day, $counters
from daily_totals
where shop_key = $1
