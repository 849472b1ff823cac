-- One page of a shop's ratings, newest first, with the last moderation of each.
select $ratings, state, m.removed_at, m.reason
from tenant_ratings r
left join lateral (
    select time as removed_at, reason
    from tenant_moderations
    where tenant_id = $1 and shop_key = $2 and review_id = r.review_id
        and day is not null
    order by time desc, removes desc
    limit 1
) m on r.state = $9
where r.tenant_id = $1 and r.shop_key = $2
    and ($3::smallint is null or r.state = $3)
    and r.day >= $4 and r.day <= $5
    and r.time <= $6
    and (r.time < $6 or r.review_id > $7)
order by r.time desc, r.review_id
limit $8
