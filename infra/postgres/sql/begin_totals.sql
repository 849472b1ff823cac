-- Inserts empty running totals, on a day before all facts, for the shops that have lost theirs.
insert into shop_totals (shop_key, day, revision)
select shop_key, date '1999-12-31', revision
from shops
where shop_key = any($1::bigint[])
order by shop_key
on conflict (shop_key) do nothing
