-- Lets one process at a time change the schema, until its transaction ends.
select pg_advisory_xact_lock($1)
