-- Every fact of one kind of a shop, by aggregate, without those that are retracted.
select $columns
from $table
where shop_key = $1 and day is not null
order by $key
