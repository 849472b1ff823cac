-- Relations that the service needs and the role of this session has no right to use.
select 'the schema public' as name
where not has_schema_privilege('public', 'usage')
union all
select c.relname::text
from pg_class as c
where c.relnamespace = 'public'::regnamespace
    and c.relowner = (
        select m.relowner
        from pg_class as m
        where m.relname = 'schema_migrations' and m.relnamespace = 'public'::regnamespace
    )
    and (
        c.relkind in ('r', 'p', 'v') and not has_table_privilege(c.oid, 'select')
        or c.relkind in ('r', 'p')
        and c.relname <> 'schema_migrations'
        and not has_table_privilege(c.oid, 'insert')
    )
order by 1
