-- Listings that exist by a day, by id, with what sold and what is in stock by then.
select l.listing_id, last_sale.day as last_sold_on, sold.units, stock.on_hand
from (
    select distinct listing_id
    from tenant_listing_events
    where tenant_id = $1 and shop_key = $2 and day <= $3 and listing_id > $5
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
    select on_hand
    from tenant_stock_counts
    where tenant_id = $1 and shop_key = $2 and listing_id = l.listing_id and day <= $3
    order by time desc
    limit 1
) stock on true
order by l.listing_id
