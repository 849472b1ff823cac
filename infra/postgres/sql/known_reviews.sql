-- Named reviews, and the ratings of buyers and months that may move across the cap.
-- A row may come twice. Only rows of moderations have `removes`. The reviews of $1 are read by id, those
-- of $3 to $6 if the buyer and month have any, both without the buyers and months of shops in $9,
-- which have no cap. Of a buyer and month that n of these reviews name, at most n ratings cross the
-- cap: they are among the last n counted ones and the first n capped ones. `counted` is the number
-- of all counted ones. Of the moderations of a review the last ones, of which one at least will stay,
-- and those of $11 to $14.
with named as (
    select $ratings, state
    from unnest($1::bigint[], $2::text[]) as given (shop_key, review_id)
    join ratings using (shop_key, review_id)
),
rated as (
    select given.shop_key, given.month, given.buyer_id, given.review_id
    from unnest($3::bigint[], $4::date[], $5::text[], $6::text[])
        as given (shop_key, month, buyer_id, review_id)
    cross join lateral (
        select
        from ratings r
        where r.shop_key = given.shop_key and r.month = given.month and r.buyer_id = given.buyer_id
        limit 1
    ) another
),
buyer_months as (
    select shop_key, month, buyer_id, count(*) as n
    from (
        select shop_key, month, buyer_id from rated
        union all
        select shop_key, month, buyer_id from named where shop_key <> all($9::bigint[])
    ) both_given
    group by shop_key, month, buyer_id
)
select r.state, null::bigint as counted, $reviews_of_ratings
from named r
union all
select r.state, null, $reviews_of_ratings
from rated
join ratings r using (shop_key, review_id)
union all
select r.state, r.counted, $reviews_of_ratings
from buyer_months of
cross join lateral (
    select $ratings, state, count(*) over () as counted
    from ratings
    where shop_key = of.shop_key and month = of.month and buyer_id = of.buyer_id and state = 0
    order by coalesce(completed_at, time) desc, time desc, review_id desc
    limit of.n
) r
union all
select r.state, null, $reviews_of_ratings
from buyer_months of
cross join lateral (
    select $ratings, state
    from ratings
    where shop_key = of.shop_key and month = of.month and buyer_id = of.buyer_id and state = 2
    order by coalesce(completed_at, time), time, review_id
    limit of.n
) r
union all
select null, null, $reviews_of_moderations
from unnest($7::bigint[], $8::text[], $10::bigint[]) as given (shop_key, review_id, among)
cross join lateral (
    select $moderations
    from moderations
    where shop_key = given.shop_key and review_id = given.review_id and day is not null
    order by time desc, removes desc
    limit given.among
) m
union all
select null, null, $reviews_of_moderations
from unnest($11::bigint[], $12::text[], $13::boolean[], $14::timestamptz[])
    as given (shop_key, review_id, removes, time)
join moderations m using (shop_key, review_id, removes, time)
