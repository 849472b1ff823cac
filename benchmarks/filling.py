"""Filling a world: ratings by set-based SQL, all else through the service.

Ratings are made by the server itself from a series of numbers, in the order of their times, with
indexes rebuilt behind them; states and totals follow in as few statements. That they are what the
service would have stored is then held against `recount`, the service's own audit, shop by shop.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec

from benchmarks.databases import Connection
from benchmarks.drawing import KNOWN_BUYERS, LISTINGS, ZONE
from benchmarks.scale import Scale
from benchmarks.servers import Server
from domain.rules import BUILT_IN
from domain.totals import FIELDS, HISTOGRAMS
from infra.postgres.database import PoolLimits, open_database
from infra.postgres.rules import RulesCache
from infra.postgres.shop_cache import ShopCache
from infra.postgres.verification import Verification

MARKETPLACE = "taobao"
CATEGORIES = 20
LADDER = ("1000.00", "5000.00", "20000.00", "100000.00", "500000.00", "2000000.00")
HUGE, WIDE, SMALL = "shop-huge", "shop-wide", "shop-small"
SMALL_SHOP_RATINGS = 200
SMALL_SHOP_LISTINGS = 20

_SHOPS_AT_ONCE = 1_000
_EVENTS_AT_ONCE = 2_500
_ZONE_NAME = "Asia/Shanghai"

_RATINGS = f"""
insert into ratings (
    shop_key, review_id, buyer_id, month, time, completed_at, day,
    description, service, logistics, order_id, listing_id, comment, state
)
select
    s.shop_key, 'r-' || $6 || n,
    case when n % 50 = 0 then 'k-' || dice_2 % $7 else 'b-' || $6 || n end,
    date_trunc('month', completed_at at time zone '{_ZONE_NAME}')::date, time, completed_at,
    (time at time zone '{_ZONE_NAME}')::date,
    (array[5, 5, 5, 5, 5, 5, 4, 4, 3, 1])[1 + dice_2 / 16 % 10],
    (array[5, 5, 5, 5, 5, 4, 4, 4, 2, null])[1 + dice_2 / 256 % 10],
    (array[5, 5, 5, 5, 5, 5, 4, 3, 2, null])[1 + dice_2 / 4096 % 10],
    'o-' || $6 || n, 'l-' || dice_2 % {LISTINGS},
    case when n % 5 = 0 then '质量很好,物流也快,下次再来' end,
    case when time - completed_at > interval '15 days' then 1 else 0 end
from (
    select
        n, dice_1, dice_2,
        $2::timestamptz + n * ($3::interval / $1) as time,
        $2::timestamptz + n * ($3::interval / $1) - dice_1 / 65536 % 400 * interval '1 hour'
            as completed_at
    from generate_series(1, $1::bigint) as n
    cross join lateral (
        select
            hashint8extended(n, 1) & 9223372036854775807 as dice_1,
            hashint8extended(n, 2) & 9223372036854775807 as dice_2
    ) dice
) made
join (
    select shop_key, row_number() over (order by shop_key) - 1 as place
    from shops where shop_id = any($4::text[])
) s on s.place = dice_1 % $5
"""  # noqa: S608

_CAP = """
update ratings r set state = 2
from (
    select shop_key, review_id, row_number() over (
        partition by shop_key, buyer_id, month
        order by coalesce(completed_at, time), time, review_id
    ) as place
    from ratings where buyer_id like 'k-%' and state = 0
) ranked
where place > $1 and r.shop_key = ranked.shop_key and r.review_id = ranked.review_id
"""

_STARS = ", ".join(
    f"count(*) filter (where state = 0 and {field[:-2]} = {field[-1]})" for field in HISTOGRAMS
)
_DAYS = f"""
insert into other_days (shop_key, day, {", ".join(HISTOGRAMS)}, late, capped, removed)
select
    shop_key, day, {_STARS},
    count(*) filter (where state = 1), count(*) filter (where state = 2),
    count(*) filter (where state = 3)
from ratings
group by shop_key, day
order by shop_key, day
"""  # noqa: S608

_RATING_FIELDS = (*HISTOGRAMS, "late", "capped", "removed")
_RUNNING = f"""
update shop_totals t set {", ".join(f"{field} = s.{field}" for field in _RATING_FIELDS)}
from (
    select d.shop_key, {", ".join(f"sum(d.{field}) as {field}" for field in _RATING_FIELDS)}
    from other_days d join shop_totals running using (shop_key)
    where d.day < running.day and d.day > running.day - $1::integer
    group by d.shop_key
) s
where t.shop_key = s.shop_key
"""  # noqa: S608
_OWN = f"""
with taken as (
    delete from other_days d
    using shop_totals t
    where d.shop_key = t.shop_key and d.day = t.day
    returning d.*
)
update shop_totals t set {", ".join(f"day_{field} = d.{field}" for field in _RATING_FIELDS)}
from taken d
where t.shop_key = d.shop_key
"""  # noqa: S608

EMPTY = (
    "truncate ratings, other_days, orders, listing_days, listing_events",
    f"update shop_totals set {', '.join(f'{field} = 0, day_{field} = 0' for field in FIELDS)}",  # noqa: S608
    "vacuum full shop_totals",
)
"""Takes every fact and total out of a database and leaves its shops."""


class WrongTotals(Exception):
    """Stored totals are not what the service recounts from the facts."""


def shop_names(count: int) -> tuple[str, ...]:
    """Ids of the shops that loads are spread over."""
    return tuple(f"shop-{number:05d}" for number in range(count))


def register(server: Server, key: str, names: Sequence[str]) -> None:
    """Register shops, a thousand a request; every other category has a ladder."""
    for start in range(0, len(names), _SHOPS_AT_ONCE):
        shops = [
            {
                "shop_id": name,
                "marketplace": MARKETPLACE,
                "category": category(start + place),
                "currency": "CNY",
            }
            for place, name in enumerate(names[start : start + _SHOPS_AT_ONCE])
        ]
        server.call("POST", "/v1/shops", key, shops)
    for number in range(0, CATEGORIES, 2):
        ladder = {"currency": "CNY", "amounts": LADDER}
        server.call("PUT", f"/v1/ladders/{MARKETPLACE}/{category(number)}", key, ladder)


def category(place: int) -> str:
    """The category of the shop at a place; even ones have a ladder of amounts."""
    return f"category-{place % CATEGORIES:02d}"


class Portion(msgspec.Struct, frozen=True):
    """Ratings to make: the beginning of their ids, their shops, and how many."""

    prefix: str
    names: Sequence[str]
    ratings: int


async def fill_ratings(connection: Connection, days: int, portions: Sequence[Portion]) -> None:
    """Put ratings of the last `days` days into empty tables, and make their totals."""
    begin = datetime.now(UTC) - timedelta(days=days)
    await connection.execute("set work_mem = '512MB'")
    await connection.execute("set maintenance_work_mem = '1GB'")
    indexes = await _without_indexes(connection)
    for portion in portions:
        shops, count = len(portion.names), portion.ratings
        known = KNOWN_BUYERS if shops > 1 else max(KNOWN_BUYERS, count // 100)
        span = timedelta(days=days)
        await connection.execute(
            _RATINGS, count, begin, span, portion.names, shops, portion.prefix, known
        )
    for index in indexes:
        await connection.execute(index)
    rules = BUILT_IN[MARKETPLACE].rules
    await connection.execute("analyze ratings")
    await connection.execute(_CAP, rules.ratings_per_buyer_month)
    await connection.execute(_DAYS)
    await connection.execute(_RUNNING, rules.rating_window_days)
    await connection.execute(_OWN)
    for table in ("ratings", "other_days", "shop_totals", "shops"):
        await connection.execute(f"vacuum (analyze) {table}")
    await connection.execute("checkpoint")


async def _without_indexes(connection: Connection) -> list[str]:
    """Drop the indexes of `ratings`; the statements that make them again."""
    made = []
    for row in await connection.fetch(
        "select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as index, "
        "c.conname, pg_get_constraintdef(c.oid) as constraint "
        "from pg_index i left join pg_constraint c on c.conindid = i.indexrelid "
        "where i.indrelid = 'ratings'::regclass order by i.indexrelid"
    ):
        if row["conname"]:
            await connection.execute(f"alter table ratings drop constraint {row['conname']}")
            made.append(f"alter table ratings add constraint {row['conname']} {row['constraint']}")
        else:
            await connection.execute(f"drop index {row['name']}")
            made.append(row["index"])
    return made


def send_sales(server: Server, key: str, scale: Scale, names: Sequence[str]) -> int:
    """Report listings and orders through the service; how many events."""
    texts = _sales(scale, names)
    sent = 0
    while batch := list(islice(texts, _EVENTS_AT_ONCE)):
        received = server.call("POST", "/v1/events", key, b"[%s]" % b",".join(batch))
        if received["stored"] != len(batch):
            raise WrongTotals(f"of {len(batch)} events {received['stored']} were stored")
        sent += len(batch)
    return sent


def _sales(scale: Scale, names: Sequence[str]) -> Iterator[bytes]:
    spread = [(name, scale.listings_a_shop, scale.orders_a_shop) for name in names]
    wide = (WIDE, scale.wide_listings, scale.wide_listings // 2)
    small = (SMALL, SMALL_SHOP_LISTINGS, SMALL_SHOP_LISTINGS // 2)
    now = datetime.now(ZONE)
    for place, (name, listings, orders) in enumerate([*spread, wide, small]):
        for number in range(listings):
            at = now - timedelta(days=60 + number % 30)
            data: dict[str, object] = {"listing_id": f"l-{number}", "title": f"货品 {number}"}
            yield _event("listing.published", name, f"p-{number}", at, data)
        for number in range(orders):
            at = now - timedelta(hours=7 * (number % 100))
            line = {
                "listing_id": f"l-{number % listings}",
                "quantity": 1 + number % 3,
                "amount": f"{(place % 997 + 1) * (number + 1)}.50",
            }
            data = {"order_id": f"s-{number}", "buyer_id": f"b-{number}", "lines": [line]}
            yield _event("order.paid", name, f"s-{number}", at, data)


def _event(kind: str, shop: str, name: str, at: datetime, data: dict[str, object]) -> bytes:
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": f"{shop}-{name}",
            "source": "/backoffice/7",
            "type": kind,
            "subject": shop,
            "time": at,
            "data": data,
        }
    )


def audit(url: str, shops: int) -> int:
    """Recount the first shops registered by the service's own audit; how many.

    Raises WrongTotals.
    """

    async def work() -> int:
        counted = 0
        async with open_database(url, PoolLimits(connections_max=2)) as database:
            audited = Verification(database, ShopCache(database, RulesCache())).shops(
                datetime.now(UTC), mend=False
            )
            async for shop in audited:
                if shop.differences:
                    raise WrongTotals(f"{shop.shop_id}: {shop.differences[0]}")
                counted += 1
                if counted == shops:
                    break
            await audited.aclose()  # type: ignore[attr-defined]
        return counted

    return asyncio.run(work())
