-- Listings that exist by a day and pass a filter, by id, with their sales and stock by that day.
select l.listing_id, last_sale.day as last_sold_on, sold.units, stock.on_hand
from (
    select distinct e.listing_id
    from tenant_listing_events e
    where e.tenant_id = $1 and e.shop_key = $2 and e.day <= $3 and e.listing_id > $5
        and ($7::date is null or (e.kind = 'published' and e.day >= $7 and e.day <= $8::date))
        and ($9::date is null or not exists (
            select
            from tenant_listing_days
            where tenant_id = $1 and shop_key = $2 and listing_id = e.listing_id
                and day >= $9 and day <= $3
        ))
        and ($10::date is null or not exists (
            select
            from tenant_listing_events
            where tenant_id = $1 and shop_key = $2 and listing_id = e.listing_id
                and kind = 'edited' and day >= $10 and day <= $3
        ))
    order by listing_id
    limit $6
) l
left join lateral (
    select day
    from tenant_listing_days
    where tenant_id = $1 and shop_key = $2 and listing_id = l.listing_id and day <= $3
    order by day desc
    limit 1
) last_sale on true
left join lateral (
    select sum(units)::bigint as units
    from tenant_listing_days
    where tenant_id = $1 and shop_key = $2 and listing_id = l.listing_id and day <= $3 and day >= $4
) sold on true
left join lateral (
    with recursive last_counts as (
        (
            select location, on_hand
            from tenant_stock_counts
            where tenant_id = $1 and shop_key = $2 and listing_id = l.listing_id and day <= $3
            order by location desc, time desc
            limit 1
        )
        union all
        select next.location, next.on_hand
        from last_counts
        cross join lateral (
            select location, on_hand
            from tenant_stock_counts
            where tenant_id = $1 and shop_key = $2 and listing_id = l.listing_id and day <= $3
                and location < last_counts.location
            order by location desc, time desc
            limit 1
        ) next
    )
    select sum(greatest(on_hand, 0))::bigint as on_hand from last_counts
) stock on true
order by l.listing_id
