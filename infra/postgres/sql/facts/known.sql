-- Facts of the given ids.
select $columns
from unnest($arrays) as named ($key)
join $table f using ($key)
