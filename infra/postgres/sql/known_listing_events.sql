-- Everything reported of the given listings.
select f.shop_key, f.listing_id, f.time, f.kind, f.day, f.title
from unnest($1::bigint[], $2::text[]) as named (shop_key, listing_id)
join listing_events f using (shop_key, listing_id)
