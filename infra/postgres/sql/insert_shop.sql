-- Inserts a shop; no row where another writer was first.
insert into shops (
    tenant_id, shop_id, marketplace, category, currency, time_zone, kind, opened_on,
    rules, rules_version
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (tenant_id, shop_id) do nothing
returning shop_key
