-- The newest snapshot up to a day, its statistics of a group, and the rank of a shop in the group.
select
    p.as_of, g.metric, g.shops,
    g.mean_numerator, g.mean_denominator,
    g.min_numerator, g.min_denominator, g.max_numerator, g.max_denominator,
    m.below[cardinality(p.metrics) * (m.place - 1) + array_position(p.metrics, g.metric)] as below
from (
    select as_of, metrics
    from peer_snapshots
    where tenant_id = $1 and as_of <= $2
    order by as_of desc
    limit 1
) p
left join lateral (
    select array_position(shop_keys, $6) as place, below
    from peer_members
    where tenant_id = $1 and as_of = p.as_of
        and marketplace = $3 and category = $4 and currency = $5
        and last_shop_key >= $6
    order by last_shop_key
    limit 1
) m on true
left join peer_groups g
    on g.tenant_id = $1 and g.as_of = p.as_of and g.marketplace = $3 and g.category = $4
        and g.currency in ('', $5)
