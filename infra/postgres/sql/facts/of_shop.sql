-- Every fact of one kind of a shop, by aggregate.
select $columns
from $table
where shop_key = $1
order by $key
