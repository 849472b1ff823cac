-- Whether this user may act as a role; a role that does not exist counts as no.
select exists (
    select from pg_roles as r
    where r.rolname = $1 and pg_has_role(session_user, r.oid, 'member')
)
