-- The newest snapshot up to a day, what it says of a group of shops, and of one of them if it was in it.
select
    p.as_of, g.dimension, g.shops,
    g.mean_numerator, g.mean_denominator,
    g.min_numerator, g.min_denominator, g.max_numerator, g.max_denominator,
    m.description[m.place] as description, m.service[m.place] as service,
    m.logistics[m.place] as logistics
from (
    select as_of
    from peer_snapshots
    where tenant_id = $1 and as_of <= $2
    order by as_of desc
    limit 1
) p
left join lateral (
    select array_position(shop_keys, $6) as place, description, service, logistics
    from peer_members
    where tenant_id = $1 and as_of = p.as_of
        and marketplace = $3 and category = $4 and currency = $5
        and last_shop_key >= $6
    order by last_shop_key
    limit 1
) m on true
left join peer_groups g
    on g.tenant_id = $1 and g.as_of = p.as_of and g.marketplace = $3 and g.category = $4
