-- Adds to the counters that are rows.
insert into counter_days as t (shop_key, day, counter, n)
select shop_key, day, counter, n
from unnest($1::bigint[], $2::date[], $3::text[], $4::numeric[]) as added (shop_key, day, counter, n)
on conflict (shop_key, day, counter) do update set n = t.n + excluded.n
