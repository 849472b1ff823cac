-- Every fact of one kind of a shop, those of one aggregate side by side.
select $columns
from $table
where shop_key = $1
order by $key
