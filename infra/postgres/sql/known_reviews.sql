-- The ratings of the given buyers and months, and of those of the named reviews.
-- Also the moderations of other named reviews, which have no state. A row may come twice.
with buyer_months as (
    select given.shop_key, given.month, given.buyer_id
    from unnest($3::bigint[], $4::date[], $5::text[])
        as given (shop_key, month, buyer_id)
    union all
    select r.shop_key, r.month, r.buyer_id
    from unnest($1::bigint[], $2::text[]) as named (shop_key, review_id)
    join ratings r using (shop_key, review_id)
)
select r.state, $reviews_of_ratings
from buyer_months
join ratings r using (shop_key, month, buyer_id)
union all
select null, $reviews_of_moderations
from unnest($6::bigint[], $7::text[]) as named (shop_key, review_id)
join moderations m using (shop_key, review_id)
