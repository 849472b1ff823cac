-- Facts of one kind by some of their columns, which begin the primary key or an index.
select $columns
from unnest($arrays) as given ($keys)
join $table using ($keys)
