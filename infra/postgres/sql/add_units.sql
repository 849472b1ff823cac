-- Adds to the units that listings sold by day.
insert into listing_days as d (shop_key, listing_id, day, units)
select shop_key, listing_id, day, units
from unnest(
    $1::bigint[],
    $2::text[],
    $3::date[],
    $4::bigint[]
) as moved (shop_key, listing_id, day, units)
order by shop_key, listing_id, day
on conflict (shop_key, listing_id, day) do update set units = d.units + excluded.units
