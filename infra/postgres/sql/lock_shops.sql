-- Puts the writers of a shop in a row, sorted so that two batches cannot block each other.
-- The definition of a shop that was waited for may be an old one, and is not current then.
select
    s.tenant_id, s.shop_id, s.shop_key, s.currency, s.time_zone,
    s.rules, s.rules_version, t.day as totals_day,
    s.revision = t.revision as current
from unnest(string_to_array($1, ' ')::bigint[], string_to_array($2, ' ')) as named (tenant_id, shop_id)
join shops s using (tenant_id, shop_id)
join shop_totals t on t.shop_key = s.shop_key
order by t.shop_key
for update of t
