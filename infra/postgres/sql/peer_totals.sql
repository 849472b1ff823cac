-- Sums of the running windows of every shop of a tenant, their day included, in columns: one row
-- for the shops that share all but themselves.
select
    marketplace, category, currency, rules, rules_version, day,
    array_agg(shop_key) as shop_keys, $metric_sums
from tenant_standings
where tenant_id = $1
group by marketplace, category, currency, rules, rules_version, day
