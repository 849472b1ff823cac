-- Writes down a step in the transaction that took it.
insert into schema_migrations (name, sha256) values ($1, $2)
