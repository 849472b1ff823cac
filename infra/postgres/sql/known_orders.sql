-- Orders of the given ids.
select f.shop_key, f.order_id, f.buyer_id, f.time, f.day, f.region, f.listing_ids, f.quantities, f.amounts
from unnest($1::bigint[], $2::text[]) as named (shop_key, order_id)
join orders f using (shop_key, order_id)
