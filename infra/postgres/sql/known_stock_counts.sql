-- Stock counts of the given listings and instants.
select f.shop_key, f.listing_id, f.time, f.day, f.on_hand
from unnest($1::bigint[], $2::text[], $3::timestamptz[]) as named (shop_key, listing_id, time)
join stock_counts f using (shop_key, listing_id, time)
