-- Puts the writers of a shop in a row, sorted so that two batches cannot block each other.
select shop_key, day, revision
from shop_totals
where shop_key = any($1::text::bigint[])
order by shop_key
for update
