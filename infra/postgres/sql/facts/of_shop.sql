-- Every fact of a shop, those of one aggregate side by side.
select $columns
from $table f
where f.shop_key = $1
order by $order
