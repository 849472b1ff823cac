-- Changes the states of stored ratings.
update ratings r
set state = changed.state
from unnest($1::bigint[], $2::text[], $3::smallint[]) as changed (shop_key, review_id, state)
where r.shop_key = changed.shop_key and r.review_id = changed.review_id
