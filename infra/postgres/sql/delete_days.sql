-- Takes out day totals that are about to be written anew.
delete from daily_totals where shop_key = $1 and day = any($2::date[])
