-- Replaces the running totals of shops, the day they stand for, and what that day adds.
update shop_totals t
set day = s.day, $set_counters
from unnest($1::shop_totals[]) s
where t.shop_key = s.shop_key
