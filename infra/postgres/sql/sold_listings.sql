-- Listings on sale at the end of a window, how many of these sold in it, and how many unlisted ones.
with last_events as (
    select distinct on (listing_id) listing_id, kind
    from tenant_listing_events
    where tenant_id = $1 and shop_key = $2 and day <= $4
    -- At one instant a withdrawal holds. Edits tell only that the listing exists.
    order by listing_id, kind = 'edited', time desc, kind desc
), sold as (
    select distinct listing_id
    from tenant_listing_days
    where tenant_id = $1 and shop_key = $2 and day >= $3 and day <= $4
)
select
    count(*) filter (where e.kind = 'published') as on_sale,
    count(*) filter (where e.kind = 'published' and s.listing_id is not null) as sold,
    count(*) filter (where e.kind is null) as unlisted_sold
from last_events e
full join sold s on s.listing_id = e.listing_id
