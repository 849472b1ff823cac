-- Peer snapshots: how the shops of a tenant stood among each other as of a date.

create table peer_snapshots (
    tenant_id bigint not null,
    as_of date not null,
    taken_at timestamptz not null,
    shops integer not null,
    groups integer not null,
    constraint peer_snapshots_pkey primary key (tenant_id, as_of),
    constraint peer_snapshots_tenant_fkey foreign key (tenant_id) references tenants (tenant_id)
);

-- Exact fractions: those of `mean` as two signed big-endian integers of any length.

create table peer_groups (
    tenant_id bigint not null,
    as_of date not null,
    marketplace text collate "C" not null,
    category text collate "C" not null,
    dimension text collate "C" not null,
    shops integer not null,
    mean_numerator bytea not null,
    mean_denominator bytea not null,
    min_numerator bigint not null,
    min_denominator bigint not null,
    max_numerator bigint not null,
    max_denominator bigint not null,
    constraint peer_groups_pkey primary key (tenant_id, as_of, marketplace, category, dimension)
);

-- Sales of a group's shops in minor units, rising.

create table peer_sales (
    tenant_id bigint not null,
    as_of date not null,
    marketplace text collate "C" not null,
    category text collate "C" not null,
    currency text collate "C" not null,
    sales bigint[] not null,
    constraint peer_sales_pkey primary key (tenant_id, as_of, marketplace, category, currency)
);

-- One shop in a snapshot: its percentiles, and the group in which its sales were counted.

create table peer_shops (
    shop_key bigint not null,
    as_of date not null,
    tenant_id bigint not null,
    marketplace text collate "C" not null,
    category text collate "C" not null,
    currency text collate "C" not null,
    sales bigint not null,
    description double precision,
    service double precision,
    logistics double precision,
    constraint peer_shops_pkey primary key (shop_key, as_of)
);

create index peer_shops_snapshot_idx on peer_shops (tenant_id, as_of);
