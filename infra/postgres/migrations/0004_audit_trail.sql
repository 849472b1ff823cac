-- The audit trail: administrative acts, each written in the transaction that carries it out. Rows
-- are added and read, never changed: `entry` only tells acts of one instant apart.

create table audit_trail (
    tenant_id bigint not null,
    at timestamptz not null,
    entry bigint generated always as identity,
    who text collate "C" not null,
    what text collate "C" not null,
    objects text[] not null,
    constraint audit_trail_pkey primary key (tenant_id, at, entry),
    constraint audit_trail_tenant_fkey foreign key (tenant_id) references tenants (tenant_id)
);

revoke update, delete, truncate on audit_trail from shopdsr_service;
