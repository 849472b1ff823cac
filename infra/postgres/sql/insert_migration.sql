-- Records a migration in the transaction that applies it.
insert into schema_migrations (name, sha256) values ($1, $2)
