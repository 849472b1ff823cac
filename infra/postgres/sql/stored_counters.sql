-- The counters of a shop that are rows, by day.
select day, counter, n from counter_days where shop_key = $1
