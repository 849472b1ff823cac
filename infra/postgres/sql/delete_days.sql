-- Deletes day totals that are about to be inserted again.
delete from daily_totals where shop_key = $1 and day = any($2::date[])
