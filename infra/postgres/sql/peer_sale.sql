-- A shop's own sales in a snapshot, where they were counted in the given group.
select sales
from peer_shops
where tenant_id = $1 and shop_key = $2 and as_of = $3
    and marketplace = $4 and category = $5 and currency = $6
