-- Facts of one kind by some of their columns, which are the first of the primary key or an index.
select $columns
from unnest($arrays) as given ($keys)
join $table using ($keys)
