-- Inserts running totals for a shop that has none.
insert into shop_totals (shop_key, day, revision)
select shop_key, $2, revision
from shops
where shop_key = $1
on conflict (shop_key) do nothing
