-- What some days add to shops whose running totals share rules and a day, in columns, a row a day:
-- of metrics over some windows alone. What the day of the running totals adds stands beside them.
select d.day, array_agg(d.shop_key) as shop_keys, $metric_sums_asked
from shops s
join shop_totals t on t.shop_key = s.shop_key
join daily_totals d on d.shop_key = s.shop_key and d.day = any($5::date[])
where s.tenant_id = $1 and s.rules = $2 and s.rules_version = $3 and t.day = $4
group by d.day
union all
select d.day, array_agg(d.shop_key), $metric_sums_asked
from shops s
join (select shop_key, day, $day_as_counters from shop_totals) d on d.shop_key = s.shop_key
where s.tenant_id = $1 and s.rules = $2 and s.rules_version = $3 and d.day = $4
    and $4::date = any($5::date[])
group by d.day
