-- Whether this user may create tables, and act as a role; a role that does not exist counts as no.
select
    exists (
        select from pg_namespace as n
        where n.nspname = 'public' and has_schema_privilege(n.oid, 'create')
    ) as may_create_tables,
    exists (
        select from pg_roles as r
        where r.rolname = $1
            and pg_has_role(
                session_user,
                r.oid,
                -- Since Postgres 16 a member that may grant the role need not be allowed to take it.
                case
                    when current_setting('server_version_num')::int < 160000 then 'member'
                    else 'set'
                end
            )
    ) as may_set_role
