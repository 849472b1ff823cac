-- Days on which listings sold, with the units, that decide which other days count as sold.
-- Around the days of $1 to $4, on which units may change: the day, the last before and the first
-- after it within a sold window. From the days of $5 to $8, on which a listing was published or
-- withdrawn, to the next such day: the first and the last day of each length of a sold window.
select given.shop_key, given.listing_id, d.day, d.units
from unnest($1::bigint[], $2::text[], $3::date[], $4::integer[])
    as given (shop_key, listing_id, day, sold_window_days)
cross join lateral (
    (
        select day, units
        from listing_days
        where shop_key = given.shop_key and listing_id = given.listing_id
            and day <= given.day and day > given.day - given.sold_window_days
        order by day desc
        limit 2
    )
    union all
    (
        select day, units
        from listing_days
        where shop_key = given.shop_key and listing_id = given.listing_id
            and day > given.day and day < given.day + given.sold_window_days
        order by day
        limit 1
    )
) d
union all
select given.shop_key, given.listing_id, d.day, d.units
from unnest($5::bigint[], $6::text[], $7::date[], $8::integer[])
    as given (shop_key, listing_id, day, sold_window_days)
left join lateral (
    select day
    from listing_events
    where shop_key = given.shop_key and listing_id = given.listing_id and kind <> 'edited'
        and day > given.day
    order by day
    limit 1
) next on true
cross join lateral (
    select
        day, units, length_number,
        lag(length_number) over (order by day) as number_before,
        lead(length_number) over (order by day) as number_after
    from (
        select day, units, (day - date '2000-01-01') / given.sold_window_days as length_number
        from listing_days
        where shop_key = given.shop_key and listing_id = given.listing_id
            and day > given.day - given.sold_window_days
            and day < coalesce(next.day, date 'infinity')
    ) sold
) d
where d.length_number is distinct from d.number_before
    or d.length_number is distinct from d.number_after
