"""Clock and calendar: zones, summer time, leap days, the last of a month, exactly 180 days."""

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from tests.api.samples import envelope
from tests.faults.check import put_shops, read
from tests.faults.figures import Figures, Form
from tests.faults.stage import serving, template
from tests.faults.stream import Json, encoded, post
from tests.harness.postgres import Cluster
from tests.harness.server import Server
from tests.reference.scores import Reference

SERVER_ZONES = ("Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu")
"""Of the service, of its database and of both, in turn."""

ZONES = {
    "Asia/Shanghai": (date(2024, 2, 29), date(2023, 12, 31)),
    "America/New_York": (date(2024, 3, 10), date(2024, 11, 3)),
    "Australia/Lord_Howe": (date(2024, 4, 7), date(2024, 10, 6)),
    "Europe/Dublin": (date(2024, 3, 31), date(2024, 10, 27)),
    "Pacific/Apia": (date(2011, 12, 29), date(2011, 12, 31)),
    "America/Sao_Paulo": (date(2018, 11, 4), date(2018, 2, 18)),
}
"""Zones with days of other than 24 hours, half-hour shifts, and one that left out a whole day."""

Expected: TypeAlias = tuple[str, date, Json]
"""A path, the day asked about, and the answer."""

INSTANT = timedelta(microseconds=1)
WINDOW_DAYS = 180


def calendar(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Compare responses in every zone of the server with the reference."""
    figures = Figures("clock and calendar")
    shops, events = _shops(), _events()
    reference = Reference(datetime.now(UTC))
    reference.put_shops(shops)
    verdicts = [reference.receive(event) for event in events]
    figures.claim(set(verdicts) == {"stored"}, f"the reference says {set(verdicts)}")
    expected = list(_expected(reference))
    for number, zone in enumerate(SERVER_ZONES[: max(2, form.outages)]):
        with _served(cluster, control, zone, number) as (service, key):
            asyncio.run(put_shops(service, key, shops))
            asyncio.run(_compare(figures, service, key, expected, events))
    figures.faults = len(events)
    return figures


@contextmanager
def _served(cluster: Cluster, control: str, zone: str, number: int) -> Iterator[tuple[Server, str]]:
    with contextlib.ExitStack() as stack:
        name, key = template(cluster)
        url = stack.enter_context(cluster.database(template=name))
        if number != 0:
            name = cluster.sql("select current_database()", url=url)[0][0]
            cluster.sql(f"alter database {name} set timezone = '{zone}'")
        local = {} if number == 1 else {"TZ": zone}
        yield stack.enter_context(serving(url, control, environ=local)), key


async def _compare(
    figures: Figures, service: Server, key: str, expected: list[Expected], events: list[Json]
) -> None:
    async with service.async_client(key) as client:
        answer = await post(client, encoded(events))
    figures.claim(answer.status_code == 200, f"answered {answer.status_code} {answer.text[:300]}")
    figures.acknowledged += len(events)
    for path, day, answer_expected in expected:
        figures.totals_wrong += await read(service, key, path, as_of=day) != answer_expected


def _expected(reference: Reference) -> Iterator[Expected]:
    for zone, turns in ZONES.items():
        shop_id = _name(zone)
        for turn in turns:
            for day in _days(turn):
                for what in ("scorecard", "dsr", "sell-through"):
                    answer = getattr(reference, what.replace("-", "_"))(shop_id, day)
                    yield f"shops/{shop_id}/{what}", day, answer


def _days(turn: date) -> list[date]:
    """Return the days on which what happened at a turn enters or leaves a window."""
    window = timedelta(days=WINDOW_DAYS)
    return [turn + timedelta(days=by) for by in (-1, 0, 1, 2)] + [
        turn + window + timedelta(days=by) for by in (-2, -1, 0, 1)
    ]


def _name(zone: str) -> str:
    return zone.replace("/", ".")


def _shops() -> list[Json]:
    common = {"marketplace": "taobao", "category": "baby", "currency": "CNY"}
    return [{**common, "shop_id": _name(zone), "time_zone": zone} for zone in ZONES]


def _events() -> list[Json]:
    """Return events around both midnights of each day and where its clock is set."""
    events: list[Json] = []
    for zone, turns in ZONES.items():
        for turn in turns:
            midnights = [
                datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
                for day in (turn, turn + timedelta(days=1))
            ]
            hours = [midnights[0] + timedelta(minutes=30 * half) for half in range(1, 9)]
            edges = [edge + by for edge in midnights for by in (-INSTANT, INSTANT * 0, INSTANT)]
            for instant in [*edges, *hours]:
                events += _at(zone, instant, len(events))
    return events


def _at(zone: str, instant: datetime, number: int) -> list[Json]:
    """Return a rating at its deadline or just past it, an order and a listing."""
    late = INSTANT if number % 2 else INSTANT * 0
    completed = instant - timedelta(days=15) - late
    rating = {
        "review_id": f"r-{number}",
        "order_id": f"o-{number}",
        "buyer_id": f"b-{number % 5}",
        "scores": {"description": 1 + number % 5, "service": 5},
        "completed_at": completed.isoformat(),
    }
    line = {"listing_id": f"l-{number % 7}", "quantity": 1, "amount": f"{number}.5"}
    datas: list[tuple[str, Json]] = [
        ("review.posted", rating),
        ("order.paid", {"order_id": f"o-{number}", "buyer_id": "b", "lines": [line]}),
        ("listing.published", {"listing_id": f"l-{number % 7}"}),
    ]
    return [
        envelope(
            *(kind, data),
            id=f"{number}-{kind}",
            subject=_name(zone),
            time=instant.isoformat(timespec="microseconds"),
        )
        for kind, data in datas
    ]
