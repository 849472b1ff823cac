-- Adds what is staged to the units that listings sold by day.
insert into listing_days as d (shop_key, listing_id, day, units)
select shop_key, listing_id, day, units
from staged_units
order by shop_key, listing_id, day
on conflict (shop_key, listing_id, day) do update set units = d.units + excluded.units
