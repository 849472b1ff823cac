-- Locks the schema against changes by other processes until this transaction ends.
select pg_advisory_xact_lock($1)
