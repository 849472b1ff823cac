-- Everything reported of the given listings by a day, each found for itself.
select e.shop_key, e.listing_id, e.time, e.kind, e.day, e.title
from unnest($3::text[]) as given (listing_id)
cross join lateral (
    select shop_key, listing_id, time, kind, day, title
    from tenant_listing_events
    where tenant_id = $1 and shop_key = $2 and listing_id = given.listing_id and day <= $4
    offset 0
) e
