-- Sales of groups of shops, each in the newest snapshot up to a day of its own.
select asked.marketplace, asked.category, asked.currency, asked.day, p.as_of, g.sales
from unnest($2::text[], $3::text[], $4::text[], $5::date[])
    as asked (marketplace, category, currency, day)
cross join lateral (
    select as_of
    from peer_snapshots
    where tenant_id = $1 and as_of <= asked.day
    order by as_of desc
    limit 1
) p
left join peer_sales g
    on g.tenant_id = $1 and g.as_of = p.as_of and g.marketplace = asked.marketplace
    and g.category = asked.category and g.currency = asked.currency
