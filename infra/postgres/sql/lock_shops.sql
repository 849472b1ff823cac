-- Locks shops, sorted so that two batches cannot deadlock.
-- A join, since `any` of an array would be scanned again for each shop whose lock was waited for.
select t.shop_key, t.day, t.revision
from unnest($1::bigint[]) as named (shop_key)
join shop_totals t on t.shop_key = named.shop_key
order by t.shop_key
for update of t
