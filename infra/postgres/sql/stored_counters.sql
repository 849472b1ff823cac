-- The counters of a shop that are no column, by day.
select day, counter, n from counter_days where shop_key = $1
