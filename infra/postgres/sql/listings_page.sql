-- Listings that exist by a day, by id, with what sold and what is in stock by then.
select l.listing_id, last_sale.day as last_sold_on, sold.units, stock.on_hand
from (
    select distinct listing_id
    from listing_events
    where shop_key = $1 and day <= $2 and listing_id > $4
    order by listing_id
    limit $5
) l
left join lateral (
    select day
    from listing_days
    where shop_key = $1 and listing_id = l.listing_id and day <= $2
    order by day desc
    limit 1
) last_sale on true
left join lateral (
    select sum(units)::bigint as units
    from listing_days
    where shop_key = $1 and listing_id = l.listing_id and day <= $2 and day >= $3
) sold on true
left join lateral (
    select on_hand
    from stock_counts
    where shop_key = $1 and listing_id = l.listing_id and day <= $2
    order by time desc
    limit 1
) stock on true
order by l.listing_id
