-- Shops by tenant and id, with the number of the definition's last change.
select
    s.tenant_id, s.shop_id, s.shop_key, s.marketplace, s.category, s.currency, s.time_zone, s.kind,
    s.opened_on, s.rules, s.rules_version, s.revision
from unnest($1::bigint[], $2::text[]) as named (tenant_id, shop_id)
join shops s using (tenant_id, shop_id)
