-- Facts of one kind by their identities.
select $columns
from unnest($arrays) as given ($keys)
join $table using ($keys)
