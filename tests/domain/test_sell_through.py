"""Sell-through: the changes of one listing add up to its state at the end of each day."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.days import window
from domain.facts.listings import ListingEvent, on_sale_runs, project
from domain.sell_through import sell_through
from tests.domain.builders import day, listing_event, shop

DAYS = 30
DAY = 24


@pytest.mark.parametrize(
    ("on_sale", "sold", "status", "rate"),
    [(100, 61, "ok", 0.61), (3, 2, "ok", 0.666667), (5, 0, "ok", 0.0), (0, 0, "none", None)],
)
def test_the_rate_is_sold_over_on_sale(
    on_sale: int, sold: int, status: str, rate: float | None
) -> None:
    """A fraction at 6 decimals, and none where nothing is on sale."""
    result = sell_through(on_sale, sold, 0, window(day(0), 30))
    assert (result.status, result.rate, result.sold, result.on_sale) == (
        status,
        rate,
        sold,
        on_sale,
    )


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([(0, "edited")], []),
        ([(0, "withdrawn")], []),
        ([(0, "published")], [(day(0), None)]),
        ([(0, "published"), (2 * DAY, "withdrawn")], [(day(0), day(2))]),
        ([(0, "published"), (1, "withdrawn")], []),
        ([(0, "published"), (0, "withdrawn")], []),
        ([(0, "published"), (DAY, "published"), (3 * DAY, "edited")], [(day(0), None)]),
        (
            [(0, "published"), (2 * DAY, "withdrawn"), (2 * DAY + 1, "published")],
            [(day(0), None)],
        ),
        (
            [(0, "published"), (DAY, "withdrawn"), (3 * DAY, "published")],
            [(day(0), day(1)), (day(3), None)],
        ),
    ],
)
def test_a_run_lasts_from_publication_to_withdrawal(
    events: list[tuple[int, str]], expected: list[tuple[date, date | None]]
) -> None:
    """The last event of a day decides; at one instant the withdrawal holds."""
    assert on_sale_runs([listing_event(*event) for event in events]) == expected
    assert on_sale_runs([listing_event(*event) for event in reversed(events)]) == expected


def test_a_sale_counts_for_its_window_and_before_publication_too() -> None:
    """A listing sold on day 0, published on day 10, is sold until day 30."""
    counts = _counts([listing_event(10 * DAY, "published")], [day(0)], 30)
    unlisted = {(day(0), "unlisted_sold"): 1, (day(10), "unlisted_sold"): -1}
    sold = {(day(10), "sold"): 1, (day(30), "sold"): -1}
    assert counts == {(day(10), "on_sale"): 1, **sold, **unlisted}


_events = st.lists(
    st.builds(
        listing_event,
        st.integers(0, 4 * DAYS - 1).map(lambda quarter: 6 * quarter),
        st.sampled_from(["published", "edited", "withdrawn"]),
    ),
    max_size=10,
)
_sales = st.lists(st.integers(-20, DAYS), unique=True, max_size=8).map(sorted)


@given(_events, _sales, st.integers(1, 12), st.data())
def test_changes_add_up_to_each_day(
    events: list[ListingEvent], sales: list[int], length: int, data: st.DataObject
) -> None:
    """Changes summed up to any day give that day's state, in any order of arrival."""
    arrived = data.draw(st.permutations(events))
    counts = _counts(arrived, [day(number) for number in sales], length)
    assert 0 not in counts.values()
    for number in range(-DAYS, DAYS + 25):
        on_sale = _is_on_sale(events, day(number))
        sold = on_sale and any(number - length < sale <= number for sale in sales)
        assert _sum_until(counts, day(number), "on_sale") == on_sale
        assert _sum_until(counts, day(number), "sold") == sold
        is_listed = any(event.day <= day(number) for event in events)
        unlisted = not is_listed and any(number - length < sale <= number for sale in sales)
        assert _sum_until(counts, day(number), "unlisted_sold") == unlisted


def _counts(
    events: Sequence[ListingEvent], sale_days: Sequence[date], length: int
) -> Mapping[tuple[date, str], int]:
    projection = project(events, shop(sold_window_days=length), dict.fromkeys(sale_days, 1))
    assert projection.units == {}
    return projection.counts


def _sum_until(counts: Mapping[tuple[date, str], int], last: date, counter: str) -> int:
    return sum(count for (day, name), count in counts.items() if name == counter and day <= last)


def _is_on_sale(events: list[ListingEvent], as_of: date) -> bool:
    known = [event for event in events if event.kind != "edited" and event.day <= as_of]
    if not known:
        return False
    last = max(event.time for event in known)
    return {event.kind for event in known if event.time == last} == {"published"}


def test_sales_within_the_window_make_a_single_run() -> None:
    """Sales less than a window apart change `sold` on the first and last day alone."""
    sales = [day(0) + timedelta(days=5 * n) for n in range(100)]
    assert len(_counts([listing_event(0, "published")], sales, 30)) == 3
