-- All removals and restorals of the given reviews.
select f.shop_key, f.review_id, f.time, f.removes, f.reason, f.note
from unnest(string_to_array($1, ' ')::bigint[], string_to_array($2, ' ')) as named (shop_key, review_id)
join moderations f using (shop_key, review_id)
