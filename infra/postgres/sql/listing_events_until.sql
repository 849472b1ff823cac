-- Everything reported of the given listings by a day.
select e.shop_key, e.listing_id, e.time, e.kind, e.day, e.title
from listing_events e
where e.shop_key = $1 and e.listing_id = any($2::text[]) and e.day <= $3
