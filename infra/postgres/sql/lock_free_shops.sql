-- Locks those of these shops that no other writer holds, and answers them alone.
select t.shop_key, t.day, t.revision
from unnest($1::bigint[]) as named (shop_key)
join shop_totals t on t.shop_key = named.shop_key
for update of t skip locked
