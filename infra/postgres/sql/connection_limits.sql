-- The limits of this user's connections to this database; -1 means no limit.
select
    current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0) as server,
    (
        select d.datconnlimit from pg_database as d where d.datname = current_database()
    ) as database,
    (
        select r.rolconnlimit from pg_roles as r where r.rolname = session_user
    ) as user
