-- The first schema: who asks, the shops, the facts of each shop, and totals over those facts.

create table tenants (
    tenant_id bigint generated always as identity,
    name text collate "C" not null,
    constraint tenants_pkey primary key (tenant_id),
    constraint tenants_name_key unique (name)
);

create table api_keys (
    key_id text collate "C" not null,
    tenant_id bigint not null,
    secret_sha256 bytea not null,
    scopes text[] not null,
    shop_ids text[],
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    constraint api_keys_pkey primary key (key_id),
    constraint api_keys_tenant_fkey foreign key (tenant_id) references tenants (tenant_id)
);

create table rule_versions (
    tenant_id bigint not null,
    name text collate "C" not null,
    version integer not null,
    rules jsonb not null,
    constraint rule_versions_pkey primary key (tenant_id, name, version),
    constraint rule_versions_tenant_fkey foreign key (tenant_id) references tenants (tenant_id)
);

create table shops (
    tenant_id bigint not null,
    shop_id text collate "C" not null,
    shop_key bigint generated always as identity,
    marketplace text collate "C" not null,
    category text collate "C" not null,
    currency text collate "C" not null,
    time_zone text collate "C" not null,
    kind text collate "C" not null,
    opened_on date,
    rules text collate "C" not null,
    rules_version integer not null,
    constraint shops_pkey primary key (tenant_id, shop_id),
    constraint shops_shop_key_key unique (shop_key),
    constraint shops_tenant_fkey foreign key (tenant_id) references tenants (tenant_id)
);

create index shops_peers_idx on shops (tenant_id, marketplace, category, shop_id);

create table ladders (
    tenant_id bigint not null,
    marketplace text collate "C" not null,
    category text collate "C" not null,
    currency text collate "C" not null,
    amounts bigint[] not null,
    constraint ladders_pkey primary key (tenant_id, marketplace, category),
    constraint ladders_tenant_fkey foreign key (tenant_id) references tenants (tenant_id)
);

-- Facts. `day` is the fact's day in its shop's zone; `month` the first day of a calendar month.

create table ratings (
    shop_key bigint not null,
    review_id text collate "C" not null,
    buyer_id text collate "C" not null,
    month date not null,
    time timestamptz not null,
    completed_at timestamptz,
    day date not null,
    description smallint,
    service smallint,
    logistics smallint,
    order_id text collate "C" not null,
    listing_id text collate "C",
    comment text,
    state smallint not null,
    constraint ratings_pkey primary key (shop_key, review_id)
) with (fillfactor = 95);

create index ratings_buyer_month_idx on ratings (shop_key, buyer_id, month);

create index ratings_time_idx on ratings (shop_key, time desc, review_id);

create table moderations (
    shop_key bigint not null,
    review_id text collate "C" not null,
    time timestamptz not null,
    removes boolean not null,
    reason text collate "C",
    note text,
    constraint moderations_pkey primary key (shop_key, review_id, time, removes)
);

create table orders (
    shop_key bigint not null,
    order_id text collate "C" not null,
    buyer_id text collate "C" not null,
    time timestamptz not null,
    day date not null,
    region text,
    listing_ids text[] collate "C" not null,
    quantities integer[] not null,
    amounts bigint[] not null,
    constraint orders_pkey primary key (shop_key, order_id)
);

create table refunds (
    shop_key bigint not null,
    refund_id text collate "C" not null,
    order_id text collate "C" not null,
    time timestamptz not null,
    day date not null,
    amount bigint not null,
    constraint refunds_pkey primary key (shop_key, refund_id)
);

create table listing_events (
    shop_key bigint not null,
    listing_id text collate "C" not null,
    time timestamptz not null,
    kind text collate "C" not null,
    day date not null,
    title text,
    constraint listing_events_pkey primary key (shop_key, listing_id, time, kind)
);

create table stock_counts (
    shop_key bigint not null,
    listing_id text collate "C" not null,
    time timestamptz not null,
    day date not null,
    on_hand integer not null,
    constraint stock_counts_pkey primary key (shop_key, listing_id, time)
);

-- Totals over the facts. `shop_days` holds what each day adds; `shop_totals` the sums of the
-- windows that end on its `day`, without that day itself: a read of that day adds one row.

create table shop_days (
    shop_key bigint not null,
    day date not null,
    description_1 integer not null default 0,
    description_2 integer not null default 0,
    description_3 integer not null default 0,
    description_4 integer not null default 0,
    description_5 integer not null default 0,
    service_1 integer not null default 0,
    service_2 integer not null default 0,
    service_3 integer not null default 0,
    service_4 integer not null default 0,
    service_5 integer not null default 0,
    logistics_1 integer not null default 0,
    logistics_2 integer not null default 0,
    logistics_3 integer not null default 0,
    logistics_4 integer not null default 0,
    logistics_5 integer not null default 0,
    late integer not null default 0,
    capped integer not null default 0,
    removed integer not null default 0,
    paid bigint not null default 0,
    refunded bigint not null default 0,
    on_sale integer not null default 0,
    sold integer not null default 0,
    constraint shop_days_pkey primary key (shop_key, day)
) with (fillfactor = 80);

create table shop_totals (
    shop_key bigint not null,
    day date not null,
    revision bigint not null default 0,
    description_1 bigint not null default 0,
    description_2 bigint not null default 0,
    description_3 bigint not null default 0,
    description_4 bigint not null default 0,
    description_5 bigint not null default 0,
    service_1 bigint not null default 0,
    service_2 bigint not null default 0,
    service_3 bigint not null default 0,
    service_4 bigint not null default 0,
    service_5 bigint not null default 0,
    logistics_1 bigint not null default 0,
    logistics_2 bigint not null default 0,
    logistics_3 bigint not null default 0,
    logistics_4 bigint not null default 0,
    logistics_5 bigint not null default 0,
    late bigint not null default 0,
    capped bigint not null default 0,
    removed bigint not null default 0,
    paid bigint not null default 0,
    refunded bigint not null default 0,
    on_sale bigint not null default 0,
    sold bigint not null default 0,
    constraint shop_totals_pkey primary key (shop_key)
) with (fillfactor = 50);

create table listing_days (
    shop_key bigint not null,
    listing_id text collate "C" not null,
    day date not null,
    units bigint not null,
    constraint listing_days_pkey primary key (shop_key, listing_id, day)
) with (fillfactor = 90);
