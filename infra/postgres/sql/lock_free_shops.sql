-- Locks the shops that no other writer has locked, and returns them alone.
select t.shop_key, t.day, t.revision
from unnest($1::bigint[]) as named (shop_key)
join shop_totals t on t.shop_key = named.shop_key
for update of t skip locked
