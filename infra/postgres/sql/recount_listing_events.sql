-- Everything reported of a shop's listings, one listing after the other.
select shop_key, listing_id, time, kind, day, title
from listing_events
where shop_key = $1
order by listing_id
