-- Shops of every tenant in the order of their keys, from the first after the given.
select tenant_id, name as tenant, shop_id, shop_key
from shops
join tenants using (tenant_id)
where shop_key > $1
order by shop_key
limit $2
