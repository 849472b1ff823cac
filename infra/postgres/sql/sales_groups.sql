-- Sales of groups of shops, each in one snapshot.
select g.tenant_id, g.as_of, g.marketplace, g.category, g.currency, g.sales
from unnest($1::bigint[], $2::date[], $3::text[], $4::text[], $5::text[])
    as asked (tenant_id, as_of, marketplace, category, currency)
join peer_sales g using (tenant_id, as_of, marketplace, category, currency)
