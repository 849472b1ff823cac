-- Shops of a zone whose running totals end on an earlier day or are lost, by key above the given.
select s.shop_key, s.tenant_id, s.shop_id
from shops s
left join shop_totals t using (shop_key)
where s.time_zone = $1 and (t.day < $2 or t.day is null) and s.shop_key > $3
order by s.shop_key
limit $4
