-- Changes the day of the running totals of a shop without facts.
update shop_totals set day = $2 where shop_key = $1
