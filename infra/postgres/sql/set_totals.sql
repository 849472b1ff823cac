-- Replaces the running totals of shops, their day, and the totals of that day.
update shop_totals t
set day = s.day, $set_counters
from unnest($1::shop_totals[]) s
where t.shop_key = s.shop_key
