-- Copies the totals of the running days of shops, unless they are zero, to the daily totals.
-- These have no such rows yet. Where a fault left one, which verification reports, others go on.
insert into daily_totals as t (shop_key, day, $counters)
select shop_key, day, $day_counters
from shop_totals
where shop_key = any($1::bigint[]) and ($day_counters) is distinct from ($zeros)
order by shop_key
on conflict (shop_key, day) do update set $add_counters
