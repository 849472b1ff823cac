-- The schema: tenants and keys, the shops, the facts of each shop, totals over those facts, peer snapshots.
-- Until the first release is tagged this one file is edited in place; from then on it stays as it
-- is. Its columns of counters are rendered from the list of counters, as those of statements are.

-- An owner without the right to create roles is granted this role, made beforehand.
do 'begin if to_regrole(''shopdsr_service'') is null then create role shopdsr_service; end if
; exception when duplicate_object or unique_violation then null; end';

do 'begin if not pg_has_role(
    session_user,
    ''shopdsr_service'',
    case when current_setting(''server_version_num'')::int < 160000 then ''member'' else ''set'' end
) then grant shopdsr_service to current_user; end if; end';

alter default privileges in schema public
    grant select, insert, update, delete on tables to shopdsr_service;

grant select on schema_migrations to shopdsr_service;

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
    constraint api_keys_pkey primary key (key_id)
);

create index api_keys_tenant_idx on api_keys (tenant_id, created_at desc, key_id);

create table rule_versions (
    tenant_id bigint not null,
    name text collate "C" not null,
    version integer not null,
    rules jsonb not null,
    constraint rule_versions_pkey primary key (tenant_id, name, version)
);

-- One entry a name, however many versions there are.

create index rule_versions_name_idx on rule_versions (tenant_id, name) where version = 1;

-- `revision` counts the changes of a definition. Running totals carry it too: a writer that has
-- waited for their lock compares it with the revision of the definition that it read before.

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
    revision integer not null default 0,
    constraint shops_pkey primary key (tenant_id, shop_id),
    constraint shops_shop_key_key unique (shop_key)
);

-- Shops that were deleted and of which facts or totals may still be stored.

create table deleted_shops (
    shop_key bigint not null,
    deleted_at timestamptz not null,
    constraint deleted_shops_pkey primary key (shop_key)
);

create index shops_peers_idx on shops (tenant_id, marketplace, category, shop_id);

create table ladders (
    tenant_id bigint not null,
    marketplace text collate "C" not null,
    category text collate "C" not null,
    currency text collate "C" not null,
    amounts bigint[] not null,
    constraint ladders_pkey primary key (tenant_id, marketplace, category)
);

-- Facts. `day` is the fact's day in its shop's zone; `month` the first day of a calendar month. Of
-- one identity the highest `revision` is stored. Of a retracted fact only identity and revision are.

create table ratings (
    shop_key bigint not null,
    review_id text collate "C" not null,
    buyer_id text collate "C",
    month date,
    time timestamptz,
    completed_at timestamptz,
    day date,
    description smallint,
    service smallint,
    logistics smallint,
    order_id text collate "C",
    listing_id text collate "C",
    comment text,
    erased boolean not null default false,
    state smallint,
    revision bigint not null default 0,
    constraint ratings_content_check check (num_nulls(month, time, day, state) in (0, 4)),
    constraint ratings_pkey primary key (shop_key, review_id)
) with (fillfactor = 95);

-- New ratings are mostly of this month, so an index by month takes them in few pages. Of a buyer's
-- month few ratings are counted (0) and any number capped (2), which are read in the order of the cap.

create index ratings_month_buyer_idx on ratings (shop_key, month, buyer_id, state);

create index ratings_capped_idx on ratings (
    shop_key, month, buyer_id, (coalesce(completed_at, time)), time, review_id
) where state = 2;

create index ratings_time_idx on ratings (shop_key, time desc, review_id);

create table moderations (
    shop_key bigint not null,
    review_id text collate "C" not null,
    time timestamptz not null,
    day date,
    removes boolean not null,
    reason text collate "C",
    note text,
    erased boolean not null default false,
    revision bigint not null default 0,
    constraint moderations_pkey primary key (shop_key, review_id, time, removes)
);

create table orders (
    shop_key bigint not null,
    order_id text collate "C" not null,
    buyer_id text collate "C",
    time timestamptz,
    day date,
    region text,
    listing_ids text[] collate "C",
    quantities integer[],
    amounts bigint[],
    total bigint,
    variant_ids text[] collate "C",
    gifts boolean[],
    erased boolean not null default false,
    revision bigint not null default 0,
    constraint orders_content_check check (
        num_nulls(time, day, listing_ids, quantities, amounts) in (0, 5)
    ),
    constraint orders_pkey primary key (shop_key, order_id)
);

-- Erasures look for a buyer's orders here. They look for ratings in `ratings_month_buyer_idx`, which
-- Postgres 18 skims month by month and others read for the whole shop: a second index of buyers
-- would cost each new rating 4 microseconds.

create index orders_buyer_idx on orders (shop_key, buyer_id) where buyer_id is not null;

create table refunds (
    shop_key bigint not null,
    refund_id text collate "C" not null,
    order_id text collate "C",
    time timestamptz,
    day date,
    amount bigint,
    revision bigint not null default 0,
    constraint refunds_content_check check (num_nulls(order_id, time, day, amount) in (0, 4)),
    constraint refunds_pkey primary key (shop_key, refund_id)
);

create table listing_events (
    shop_key bigint not null,
    listing_id text collate "C" not null,
    time timestamptz not null,
    kind text collate "C" not null,
    day date,
    title text,
    revision bigint not null default 0,
    constraint listing_events_pkey primary key (shop_key, listing_id, time, kind)
);

-- The last publication or withdrawal of a day tells whether a listing is on sale at its end.

create index listing_events_day_idx on listing_events (shop_key, listing_id, day, time, kind)
where kind <> 'edited';

create table stock_counts (
    shop_key bigint not null,
    listing_id text collate "C" not null,
    location text collate "C" not null,
    time timestamptz not null,
    day date,
    on_hand integer,
    revision bigint not null default 0,
    constraint stock_counts_content_check check (num_nulls(day, on_hand) in (0, 2)),
    constraint stock_counts_pkey primary key (shop_key, listing_id, location, time)
);

-- Postgres keeps samples of column values to plan queries; erased ids and texts must not stay there.

alter table ratings alter column buyer_id set statistics 0, alter column comment set statistics 0;

alter table moderations alter column note set statistics 0;

alter table orders alter column buyer_id set statistics 0;

-- Totals over the facts. `shop_totals` holds the sums of the windows that end on its `day`, without
-- that day itself, and the totals of that day beside them: a score reads one row of a shop, and an
-- event of that day changes this row alone. `daily_totals` holds the totals of every other day.
-- Money is numeric: no number of events overflows it.

create table daily_totals (
    shop_key bigint not null,
    day date not null,
    $daily_columns,
    constraint daily_totals_pkey primary key (shop_key, day)
) with (fillfactor = 80);

create table shop_totals (
    shop_key bigint not null,
    day date not null,
    revision integer not null default 0,
    $running_columns,
    constraint shop_totals_pkey primary key (shop_key)
) with (fillfactor = 50);

-- What a batch adds to a row of either. Money of one batch fits a bigint, which is faster to send.

create type added_totals as (
    shop_key bigint,
    day date,
    $added_columns
);

-- Counters that are rows.

create table counter_days (
    shop_key bigint not null,
    day date not null,
    counter text collate "C" not null,
    n numeric not null,
    constraint counter_days_pkey primary key (shop_key, day, counter)
) with (fillfactor = 90);

create table listing_days (
    shop_key bigint not null,
    listing_id text collate "C" not null,
    day date not null,
    units bigint not null,
    constraint listing_days_pkey primary key (shop_key, listing_id, day)
) with (fillfactor = 90);

-- Peer snapshots: the comparison of a tenant's shops with each other as of a date, in `metrics`.

create table peer_snapshots (
    tenant_id bigint not null,
    as_of date not null,
    taken_at timestamptz not null,
    shops integer not null,
    groups integer not null,
    metrics text[] not null,
    constraint peer_snapshots_pkey primary key (tenant_id, as_of)
);

-- One metric of a group; `currency` is empty but for money. Exact fractions: those of `mean` as two
-- signed big-endian integers of any length.

create table peer_groups (
    tenant_id bigint not null,
    as_of date not null,
    marketplace text collate "C" not null,
    category text collate "C" not null,
    metric text collate "C" not null,
    currency text collate "C" not null,
    shops integer not null,
    mean_numerator bytea not null,
    mean_denominator bytea not null,
    min_numerator numeric not null,
    min_denominator numeric not null,
    max_numerator numeric not null,
    max_denominator numeric not null,
    constraint peer_groups_pkey primary key (
        tenant_id, as_of, marketplace, category, metric, currency
    )
);

-- Shops of a snapshot, up to 32 of one marketplace, category and currency a row, by rising key, for
-- they are read by group. `below` holds for each shop, in the order of the snapshot's metrics, how
-- many peers are below it; null where it has none.

create table peer_members (
    tenant_id bigint not null,
    as_of date not null,
    marketplace text collate "C" not null,
    category text collate "C" not null,
    currency text collate "C" not null,
    last_shop_key bigint not null,
    shop_keys bigint[] not null,
    sales numeric[] not null,
    below integer[] not null,
    constraint peer_members_pkey primary key (
        tenant_id, as_of, marketplace, category, currency, last_shop_key
    )
);

-- The audit trail: administrative acts, each written in the transaction that carries it out. Rows
-- are added and read, never changed: `entry` only tells acts of one instant apart.

create table audit_trail (
    tenant_id bigint not null,
    at timestamptz not null,
    entry bigint generated always as identity,
    who text collate "C" not null,
    what text collate "C" not null,
    objects text[] not null,
    constraint audit_trail_pkey primary key (tenant_id, at, entry)
);

-- The second lock between tenants: each read of a shop's facts or totals for a response names the
-- tenant and the shop to a view that joins them, and the service works as a role that owns nothing.

create view tenant_ratings as
select
    s.tenant_id, f.shop_key,
    f.review_id, f.buyer_id, f.month, f.time, f.completed_at, f.day, f.description,
    f.service, f.logistics, f.order_id, f.listing_id, f.comment, f.erased, f.state, f.revision
from shops s
join ratings f on f.shop_key = s.shop_key;

create view tenant_moderations as
select
    s.tenant_id, f.shop_key,
    f.review_id, f.time, f.day, f.removes, f.reason, f.note, f.erased, f.revision
from shops s
join moderations f on f.shop_key = s.shop_key;

create view tenant_listing_events as
select
    s.tenant_id, f.shop_key,
    f.listing_id, f.time, f.kind, f.day, f.title, f.revision
from shops s
join listing_events f on f.shop_key = s.shop_key;

create view tenant_stock_counts as
select
    s.tenant_id, f.shop_key,
    f.listing_id, f.location, f.time, f.day, f.on_hand, f.revision
from shops s
join stock_counts f on f.shop_key = s.shop_key;

create view tenant_listing_days as
select
    s.tenant_id, f.shop_key,
    f.listing_id, f.day, f.units
from shops s
join listing_days f on f.shop_key = s.shop_key;

create view tenant_counter_days as
select
    s.tenant_id, f.shop_key,
    f.day, f.counter, f.n
from shops s
join counter_days f on f.shop_key = s.shop_key;

create view tenant_daily_totals as
select
    s.tenant_id, f.shop_key, f.day,
    $counters
from shops s
join (
    select
        shop_key, day,
        $counters
    from daily_totals
    union all
    select
        shop_key, day,
        $day_counters
    from shop_totals
) f on f.shop_key = s.shop_key;

create view tenant_shop_totals as
select
    s.tenant_id, t.shop_key, s.marketplace, s.category, s.currency, s.revision, t.day,
    $counters_with_day
from shops s
join shop_totals t on t.shop_key = s.shop_key;

revoke update, delete, truncate on audit_trail from shopdsr_service;
