-- Locks those of these shops that no other writer holds; one that is held has no key.
-- The definition of a shop that was held a moment ago may be an old one, and is not current then.
select
    s.tenant_id, s.shop_id, free.shop_key, s.currency, s.time_zone,
    s.rules, s.rules_version, free.day as totals_day,
    s.revision = free.revision as current
from unnest(string_to_array($1, ' ')::bigint[], string_to_array($2, ' ')) as named (tenant_id, shop_id)
join shops s using (tenant_id, shop_id)
left join lateral (
    select shop_key, day, revision
    from shop_totals
    where shop_key = s.shop_key
    for update skip locked
) free on true
