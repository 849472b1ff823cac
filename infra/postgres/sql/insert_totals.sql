-- The running totals of a shop that has none.
insert into shop_totals (shop_key, day) values ($1, $2) on conflict (shop_key) do nothing
