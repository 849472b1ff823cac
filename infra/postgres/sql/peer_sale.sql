-- A shop's own sales in a snapshot; null or no row where they were not counted in the given group.
select sales[array_position(shop_keys, $6)] as sales
from peer_members
where tenant_id = $1 and as_of = $2 and marketplace = $3 and category = $4 and currency = $5
    and last_shop_key >= $6
order by last_shop_key
limit 1
