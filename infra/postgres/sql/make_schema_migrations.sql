-- Creates the table of the migrations that were applied.
create table if not exists schema_migrations (
    name text collate "C" not null,
    sha256 text not null,
    constraint schema_migrations_pkey primary key (name)
)
