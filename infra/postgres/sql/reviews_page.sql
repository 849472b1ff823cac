-- One page of a shop's ratings, newest first, with the last word of the marketplace on each.
select
    r.shop_key, r.review_id, r.buyer_id, r.month, r.time, r.completed_at, r.day,
    r.description, r.service, r.logistics, r.order_id, r.listing_id, r.comment, r.state,
    m.time as removed_at, m.reason
from ratings r
left join lateral (
    select time, reason
    from moderations
    where shop_key = $1 and review_id = r.review_id
    order by time desc, removes desc
    limit 1
) m on r.state = $8
where r.shop_key = $1
    and ($2::smallint is null or r.state = $2)
    and r.day >= $3 and r.day <= $4
    and r.time <= $5
    and (r.time < $5 or r.review_id > $6)
order by r.time desc, r.review_id
limit $7
