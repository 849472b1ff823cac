-- Deletes versions of a tenant's rules up to a version, unless a shop follows them still.
-- The first version stays, by which the sets of a tenant are counted.
delete from rule_versions r
where tenant_id = $1 and name = $2 and version > 1 and version <= $3
    and not exists (
        select
        from shops
        where tenant_id = $1 and rules = $2 and rules_version = r.version
    )
