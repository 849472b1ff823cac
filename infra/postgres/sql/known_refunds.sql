-- Refunds of the given ids.
select f.shop_key, f.refund_id, f.order_id, f.time, f.day, f.amount
from unnest($1::bigint[], $2::text[]) as named (shop_key, refund_id)
join refunds f using (shop_key, refund_id)
