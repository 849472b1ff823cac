-- All removals and restorals of the given reviews.
select f.shop_key, f.review_id, f.time, f.removes, f.reason, f.note
from unnest($1::text::bigint[], $2::text::text[]) as named (shop_key, review_id)
join moderations f using (shop_key, review_id)
