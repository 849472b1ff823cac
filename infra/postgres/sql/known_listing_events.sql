-- Publications and withdrawals that decide whether listings were on sale around given days.
-- Of each listing: the last `among` ones by the day, the last of the next day that has any, and the
-- last of every day from there until another day. Also its first events of any kind, of which all
-- those given may leave.
select $events_of_listings
from unnest($1::bigint[], $2::text[], $3::date[], $4::bigint[])
    as given (shop_key, listing_id, day, among)
cross join lateral (
    select $listing_events
    from listing_events
    where shop_key = given.shop_key and listing_id = given.listing_id and kind <> 'edited'
        and day <= given.day
    order by day desc, time desc, kind desc
    limit given.among
) e
union all
select $events_of_listings
from unnest($1::bigint[], $2::text[], $3::date[], $5::date[])
    as given (shop_key, listing_id, day, until)
cross join lateral (
    select day
    from listing_events
    where shop_key = given.shop_key and listing_id = given.listing_id and kind <> 'edited'
        and day > given.day
    order by day
    limit 1
) next
cross join generate_series(0, greatest(given.until - 1 - next.day, 0)) later
cross join lateral (
    select $listing_events
    from listing_events
    where shop_key = given.shop_key and listing_id = given.listing_id and kind <> 'edited'
        and day = next.day + later
    order by time desc, kind desc
    limit 1
) e
union all
select $events_of_listings
from (
    select shop_key, listing_id, sum(among)::bigint as among
    from unnest($1::bigint[], $2::text[], $4::bigint[]) as given (shop_key, listing_id, among)
    group by shop_key, listing_id
) given
cross join lateral (
    select $listing_events
    from listing_events
    where shop_key = given.shop_key and listing_id = given.listing_id and day is not null
    order by time
    limit given.among
) e
