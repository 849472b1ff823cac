-- Puts the writers of a shop in a row, sorted so that two batches cannot block each other.
-- A join: `any` of an array would be looked through again for each shop that was waited for.
select t.shop_key, t.day, t.revision
from unnest($1::bigint[]) as named (shop_key)
join shop_totals t on t.shop_key = named.shop_key
order by t.shop_key
for update of t
