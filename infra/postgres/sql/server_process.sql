-- The process that serves this session; behind a pooler it is not the one that the client was told.
select pg_backend_pid()
