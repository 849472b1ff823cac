-- Deletes facts of one kind by their identities, before other versions of them are inserted.
delete from $table f
using unnest($arrays) as given ($keys)
where $matching
