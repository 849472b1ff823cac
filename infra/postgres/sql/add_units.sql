-- Adds to the units that listings sold by day.
insert into listing_days as d (shop_key, listing_id, day, units)
select shop_key, listing_id, day, units
from unnest(
    string_to_array($1, ' ')::bigint[],
    string_to_array($2, ' '),
    string_to_array($3, ' ')::date[],
    string_to_array($4, ' ')::bigint[]
) as moved (shop_key, listing_id, day, units)
order by shop_key, listing_id, day
on conflict (shop_key, listing_id, day) do update set units = d.units + excluded.units
