-- Gives rows of their own to the days that stand beside running totals, where they add anything.
-- None has one yet. Should one have it, which is for verifying to find, the others go on.
insert into daily_totals as t (shop_key, day, $counters)
select shop_key, day, $day_counters
from shop_totals
where shop_key = any($1::bigint[]) and ($day_counters) is distinct from ($zeros)
order by shop_key
on conflict (shop_key, day) do update set $add_counters
