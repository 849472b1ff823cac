-- Deletes counters that are about to be inserted again.
delete from counter_days d
using unnest($2::date[], $3::text[]) as wrong (day, counter)
where d.shop_key = $1 and d.day = wrong.day and d.counter = wrong.counter
