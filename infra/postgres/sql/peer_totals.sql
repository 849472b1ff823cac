-- Sums of the running windows of every shop of a tenant but some, in arrays.
-- A row for each group, currency, rules and day.
select
    s.marketplace, s.category, s.currency, s.rules, s.rules_version, t.day,
    array_agg(s.shop_key) as shop_keys, $metric_sums
from shops s
join shop_totals t on t.shop_key = s.shop_key
where s.tenant_id = $1 and s.shop_key <> all($2::bigint[])
group by s.marketplace, s.category, s.currency, s.rules, s.rules_version, t.day
