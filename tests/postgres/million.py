"""A database of a million ratings, made by the server itself: many small shops and a large one."""

import asyncpg

from tests.harness.postgres import database_of, execute

SHOPS = 10_000
RATINGS = 1_000_000
OF_THE_LARGEST = 300_000
LISTINGS_OF_THE_LARGEST = 20_000
EAGER_BUYER, OF_THE_EAGER_BUYER = "eager", 20_000
RESTLESS_LISTING, EVENTS_OF_THE_RESTLESS_LISTING = "restless", 20_000
"""A buyer of the largest shop, and the ratings of this buyer in one month."""

# The shops have the keys from 1 on; the first one is the largest. Half of a shop's days are in
# the last 40 of 200. Everything is sorted by key, as rows of real batches mostly are.
_STEPS = f"""
insert into tenants (name) values ('acme');

insert into shops (
    tenant_id, shop_id, marketplace, category, currency, time_zone, kind, rules, rules_version
)
select 1, 's-' || n, 'taobao', 'c-' || n % 20, 'CNY', 'Asia/Shanghai', 'individual', 'taobao', 1
from generate_series(1, {SHOPS}) n;

insert into shop_totals (shop_key, day, service_5, day_service_5, day_paid)
select n, '2026-11-21', 100, 5, 100 from generate_series(1, {SHOPS}) n;

insert into daily_totals (shop_key, day, service_5, paid)
select shop_key, date '2026-11-21' - back, 5, 100
from generate_series(1, {SHOPS}) shop_key,
    lateral (
        select generate_series(2, 39, 2) union all select generate_series(40, 199, 8)
    ) as days (back);

insert into ratings (
    shop_key, review_id, buyer_id, month, time, day, description, service, logistics,
    order_id, state
)
select
    case when n < {OF_THE_LARGEST} then 1 else 2 + n % {SHOPS - 1} end,
    'r-' || lpad(n::text, 7, '0'), 'b-' || n % 5003, date_trunc('month', time)::date, time,
    time::date, 5, 4, 3, 'o-' || n, (n % 20 = 0)::integer
from generate_series(0, {RATINGS - 1}) n,
    lateral (select timestamptz '2026-11-21 00:00Z' - n % 4787 * interval '1 hour') as given (time)
order by 1, 2;

insert into ratings (
    shop_key, review_id, buyer_id, month, time, day, description, order_id, state
)
select
    1, 's-' || lpad(n::text, 7, '0'), '{EAGER_BUYER}', '2026-11-01',
    timestamptz '2026-11-01 00:00Z' + n * interval '1 second', '2026-11-01', 5, 's-' || n,
    case when n <= 3 then 0 when n % 2 = 0 then 1 else 2 end
from generate_series(1, {OF_THE_EAGER_BUYER}) n;

insert into moderations (shop_key, review_id, time, removes)
select shop_key, review_id, time, true from ratings where state = 1;

insert into orders (shop_key, order_id, buyer_id, time, day, listing_ids, quantities, amounts)
select shop_key, order_id, buyer_id, time, day, '{{l-1}}', '{{1}}', '{{100}}'
from ratings where state = 1
order by 1, 2;

insert into refunds (shop_key, refund_id, order_id, time, day, amount)
select shop_key, order_id, order_id, time, day, 1 from orders;

insert into listing_events (shop_key, listing_id, time, kind, day)
select shop_key, 'l-' || lpad(n::text, 5, '0'), '2026-11-01 00:00Z', 'published', '2026-11-01'
from generate_series(1, {SHOPS}) shop_key,
    generate_series(1, case when shop_key = 1 then {LISTINGS_OF_THE_LARGEST} else 5 end) n
order by 1, 2;

insert into listing_days (shop_key, listing_id, day, units)
select shop_key, listing_id, day - back, 1 from listing_events, generate_series(1, 3) back;

insert into counter_days (shop_key, day, counter, n)
select shop_key, date '2026-11-21' - back, 'n', 1
from generate_series(1, {SHOPS}) shop_key, generate_series(1, 3) back;

insert into stock_counts (shop_key, listing_id, location, time, day, on_hand)
select shop_key, listing_id, '', time, day, 1 from listing_events;

insert into listing_events (shop_key, listing_id, time, kind, day)
select
    2, '{RESTLESS_LISTING}', timestamptz '2026-10-01 00:00Z' + n % 20 * interval '1 day'
    + n * interval '1 second', 'published', date '2026-10-01' + n % 20
from generate_series(1, {EVENTS_OF_THE_RESTLESS_LISTING}) n;

insert into peer_snapshots (tenant_id, as_of, taken_at, shops, groups, metrics)
select
    1, date '2026-11-20' - back, '2026-11-21 00:00Z', {SHOPS}, 20,
    '{{dsr_description,dsr_service,dsr_logistics,sell_through}}'
from generate_series(0, 399) back;

insert into peer_groups
select
    1, as_of, 'taobao', 'c-' || n, metric, '', 500, '1', '1', 1, 1, 1, 1
from peer_snapshots, generate_series(0, 19) n, unnest(metrics) metric;

insert into peer_members (
    tenant_id, as_of, marketplace, category, currency, last_shop_key, shop_keys, sales, below
)
select
    1, as_of, 'taobao', 'c-' || n, 'CNY', max(shop_key),
    array_agg(shop_key), array_agg(0), array_fill(0, array[4 * count(*)::integer])
from peer_snapshots, generate_series(0, 19) n, generate_series(n, {SHOPS}, 20) shop_key
where as_of > '2026-11-10' and shop_key > 0
group by as_of, n, shop_key / 20 / 32;

insert into audit_trail (tenant_id, at, who, what, objects)
select 1, timestamptz '2026-11-21 00:00Z' - n * interval '1 minute', 'me', 'test', '{{}}'
from generate_series(1, 20000) n;

analyze
"""


async def make(server_url: str, template: str, name: str) -> str:
    """Create the database from one that has the schema, and return its address."""
    await execute(server_url, f"create database {name} template {template}")
    url = database_of(server_url, name)
    connection = await asyncpg.connect(url)
    for step in _STEPS.split(";\n\n"):
        await connection.execute(step)
    await connection.close()
    return url
