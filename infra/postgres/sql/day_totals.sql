-- Day totals of one shop, and the rules they follow: at least one row, whose day may be null.
-- Where running totals are lost, those of their day are not among these.
select s.rules, s.rules_version, t.totals_key is null as is_lost, d.day, $read_counters
from shops s
left join (select tenant_id as totals_tenant_id, shop_key as totals_key from tenant_shop_totals) t
    on t.totals_tenant_id = s.tenant_id and t.totals_key = s.shop_key
left join tenant_daily_totals d
    on d.tenant_id = s.tenant_id and d.shop_key = s.shop_key and d.day >= $3 and d.day < $4
where s.tenant_id = $1 and s.shop_key = $2
