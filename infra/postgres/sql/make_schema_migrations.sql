-- Where the steps that were applied are written down; made with the first of them.
create table if not exists schema_migrations (
    name text collate "C" not null,
    sha256 text not null,
    constraint schema_migrations_pkey primary key (name)
)
