-- Whether there is a table of the migrations that were applied.
select to_regclass('schema_migrations') is not null
