-- Sales of the members of groups of shops, each in one snapshot, some members a row.
select m.tenant_id, m.as_of, m.marketplace, m.category, m.currency, m.sales::text
from unnest($1::bigint[], $2::date[], $3::text[], $4::text[], $5::text[])
    as requested (tenant_id, as_of, marketplace, category, currency)
join peer_members m using (tenant_id, as_of, marketplace, category, currency)
