-- Day totals of one shop, and the rules they follow: at least one row, whose day may be null.
select s.rules, s.rules_version, d.day, $read_counters
from shops s
left join tenant_daily_totals d
    on d.tenant_id = s.tenant_id and d.shop_key = s.shop_key and d.day >= $3 and d.day < $4
where s.tenant_id = $1 and s.shop_key = $2
