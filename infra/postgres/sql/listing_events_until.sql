-- Everything reported of the given listings by a day.
select e.shop_key, e.listing_id, e.time, e.kind, e.day, e.title
from tenant_listing_events e
where e.tenant_id = $1 and e.shop_key = $2 and e.listing_id = any($3::text[]) and e.day <= $4
