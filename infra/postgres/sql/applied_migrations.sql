-- The migrations that were applied, with the digests of their texts.
select name, sha256 from schema_migrations
