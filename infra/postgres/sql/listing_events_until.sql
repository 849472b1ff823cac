-- The events of the given listings up to a day, with one index scan for each listing.
select $listing_events
from unnest($3::text[]) as given (id)
cross join lateral (
    select $listing_events
    from tenant_listing_events
    where tenant_id = $1 and shop_key = $2 and listing_id = given.id and day <= $4
    offset 0
) e
