-- Adds to daily totals, running totals and totals of running days of locked shops.
-- The shops have running totals. An update in place of the second insert might scan all shops.
with added_days as (
    insert into daily_totals as t (shop_key, day, $counters)
    select shop_key, day, $counters
    from unnest($1::text::added_totals[])
    on conflict (shop_key, day) do update set $add_counters
)
insert into shop_totals as t (shop_key, day, $counters, $day_counters)
select shop_key, coalesce(running.day, own.day), $running_or_zeros, $own_or_zeros
from unnest($2::text::added_totals[]) running
full join unnest($3::text::added_totals[]) own using (shop_key)
on conflict (shop_key) do update set $add_counters, $add_day_counters
