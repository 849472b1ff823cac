-- Days on which the given listings sold, with the units, each listing from a day of its own on.
select d.shop_key, d.listing_id, d.day, d.units
from unnest($1::bigint[], $2::text[], $3::date[]) as named (shop_key, listing_id, from_day)
join listing_days d
    on d.shop_key = named.shop_key and d.listing_id = named.listing_id
    and d.day >= named.from_day
