-- The running totals of a new shop.
insert into shop_totals (shop_key, day) values ($1, $2)
