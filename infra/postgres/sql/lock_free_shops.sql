-- Locks those of these shops that no other writer holds, and answers them alone.
select shop_key, day, revision
from shop_totals
where shop_key = any($1::text::bigint[])
for update skip locked
