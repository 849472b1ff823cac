-- Definitions of shops that are locked, so as no other writer can change them now.
select
    s.tenant_id, s.shop_id, s.shop_key, s.currency, s.time_zone,
    s.rules, s.rules_version, t.day as totals_day,
    true as current
from shops s
join shop_totals t using (shop_key)
where s.shop_key = any(string_to_array($1, ' ')::bigint[])
