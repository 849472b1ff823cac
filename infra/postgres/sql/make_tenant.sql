-- Inserts a tenant of this name unless there is one.
insert into tenants (name) values ($1) on conflict (name) do nothing
