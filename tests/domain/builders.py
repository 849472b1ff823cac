"""Builders of facts, totals and rules for tests, with defaults for all fields."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st

from domain.counters import FIELDS
from domain.facts.fact import KnownShop
from domain.facts.listings import ListingEvent
from domain.facts.ratings import Moderation, Rating
from domain.rules import TAOBAO, Rules
from domain.steps import Steps
from domain.totals import Totals, zero_totals

T = TypeVar("T")

FIRST = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def day(number: int) -> date:
    """Return a day by its number; day 0 is `FIRST`."""
    return FIRST + timedelta(days=number)


def noon(number: int) -> datetime:
    """Return noon of a day by its number, in UTC."""
    return NOON + timedelta(days=number)


def rules(**changed: Any) -> Rules:
    """Return the built-in `taobao` rules with some fields changed."""
    return msgspec.structs.replace(TAOBAO, **changed)


def shop(**changed: Any) -> KnownShop:
    """Return a shop under the built-in `taobao` rules with some fields changed."""
    return KnownShop(shop_key=1, currency="CNY", time_zone="UTC", rules=rules(**changed))


def totals(**fields: int) -> list[int]:
    """Return totals with these fields, and zeros elsewhere."""
    row = zero_totals()
    for name, value in fields.items():
        row[FIELDS.index(name)] = value
    return row


def rated(*histogram: int, dimension: str = "description") -> list[int]:
    """Return totals of one dimension's ratings: how many of 1 to 5 stars."""
    return totals(**{f"{dimension}_{k}": n for k, n in enumerate(histogram, start=1)})


def rating(review_id: str, **changed: Any) -> Rating:
    """Return a counted rating of five stars in description, given on day 0."""
    given = changed.get("time", NOON)
    completed_at = changed.get("completed_at", given)
    fields: dict[str, Any] = {
        "shop_key": 1,
        "revision": 0,
        "review_id": review_id,
        "buyer_id": "b-1",
        "month": (completed_at or given).date().replace(day=1),
        "time": given,
        "completed_at": completed_at,
        "day": given.date(),
        "description": 5,
        "service": None,
        "logistics": None,
        "order_id": f"o-{review_id}",
        "listing_id": None,
        "comment": None,
    }
    return Rating(**{**fields, **changed})


def moderation(hours: int, *, removes: bool) -> Moderation:
    """Return the removal or restoral of a review, some hours after `NOON`."""
    time = NOON + timedelta(hours=hours)
    return Moderation(
        shop_key=1,
        revision=0,
        time=time,
        day=time.date(),
        review_id="r-1",
        removes=removes,
        reason=None,
        note=None,
    )


def listing_event(hours: int, kind: str) -> ListingEvent:
    """Return an event of a listing, some hours after `NOON`."""
    time = NOON + timedelta(hours=hours)
    return ListingEvent(
        shop_key=1,
        revision=0,
        time=time,
        day=time.date(),
        listing_id="l-1",
        kind=kind,
        title=None,
    )


def sum_of(days: Mapping[date, Totals], first: int, last: int) -> list[int]:
    """Add up the totals of days by number, both ends included, day by day."""
    sums = zero_totals()
    for number in range(first, last + 1):
        for index, value in enumerate(days.get(day(number), ())):
            sums[index] += value
    return sums


def stars_of(totals: Sequence[int], dimension: str) -> tuple[int, int]:
    """Return the numbers of ratings and of stars of one dimension in totals."""
    counts = [totals[FIELDS.index(f"{dimension}_{k}")] for k in range(1, 6)]
    return sum(counts), sum(k * n for k, n in enumerate(counts, start=1))


SPAN = 50
"""Number of days that `day_totals` draws from: 0 to 49."""

_day = st.builds(
    lambda ratings, uncounted, money: totals(
        **dict(zip(FIELDS, ratings, strict=False)),
        **dict(zip(("late", "capped", "removed"), uncounted, strict=True)),
        **dict(zip(("paid", "refunded"), money, strict=True)),
    ),
    st.lists(st.integers(0, 3), min_size=15, max_size=15),
    st.lists(st.integers(0, 2), min_size=3, max_size=3),
    st.lists(st.integers(0, 10_000), min_size=2, max_size=2),
)

day_totals: st.SearchStrategy[dict[date, list[int]]] = st.dictionaries(
    st.integers(0, SPAN - 1).map(day), _day, max_size=25
)

short_rules: st.SearchStrategy[Rules] = st.builds(
    rules,
    rating_window_days=st.integers(1, 15),
    sales_window_days=st.integers(1, 15),
    min_ratings=st.integers(1, 5),
    refunds_reduce_sales=st.booleans(),
)


def finish(steps: Steps[T]) -> T:
    """Return the result of a computation, without a pause between its steps."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
