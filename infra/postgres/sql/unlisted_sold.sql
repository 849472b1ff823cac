-- How many listings sold between two days that no event names by the second day.
select count(distinct d.listing_id)
from tenant_listing_days d
where d.tenant_id = $1 and d.shop_key = $2 and d.day >= $3 and d.day <= $4
    and not exists (
        select
        from tenant_listing_events
        where tenant_id = $1 and shop_key = $2 and listing_id = d.listing_id and day <= $4
    )
