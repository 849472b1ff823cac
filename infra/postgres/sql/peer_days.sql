-- What some days add to shops whose running totals share rules and a day, in columns, a row a day:
-- of metrics over some windows alone.
select d.day, array_agg(d.shop_key) as shop_keys, $metric_sums_asked
from (
    select shop_key
    from tenant_standings
    where tenant_id = $1 and rules = $2 and rules_version = $3 and day = $4
) s
join lateral (
    select shop_key, day, $counters
    from daily_totals
    where shop_key = s.shop_key and day = any($5::date[])
    union all
    select shop_key, day, $day_counters
    from shop_totals
    where shop_key = s.shop_key and day = any($5::date[])
) d on true
group by d.day
