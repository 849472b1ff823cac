"""Days are a shop's own, and windows include both ends."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.days import (
    FIRST_INSTANT,
    Window,
    day_of,
    days_before,
    days_between,
    last_instant,
    month_of,
    window,
    zone,
    zone_names,
)
from domain.totals import sum_window
from tests.domain.builders import SPAN, day, day_totals, sum_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "time_zone", "expected"),
    [
        ("2026-11-20T15:59:59.999999+00:00", "Asia/Shanghai", date(2026, 11, 20)),
        ("2026-11-20T16:00:00+00:00", "Asia/Shanghai", date(2026, 11, 21)),
        ("2026-11-21T00:00:00+08:00", "Asia/Shanghai", date(2026, 11, 21)),
        ("2026-03-29T01:30:00+00:00", "Europe/Berlin", date(2026, 3, 29)),
        ("2026-10-24T22:30:00+00:00", "Europe/Berlin", date(2026, 10, 25)),
        ("2026-10-25T22:30:00+00:00", "Europe/Berlin", date(2026, 10, 25)),
        ("2026-01-01T00:00:00+00:00", "America/Sao_Paulo", date(2025, 12, 31)),
        ("2011-12-30T09:59:00+00:00", "Pacific/Apia", date(2011, 12, 29)),
        ("2011-12-30T10:00:00+00:00", "Pacific/Apia", date(2011, 12, 31)),
    ],
)
def test_a_day_begins_at_midnight_of_the_shop(instant: str, time_zone: str, expected: date) -> None:
    """An instant falls on the day of the shop's local time, whatever its offset."""
    assert day_of(datetime.fromisoformat(instant), time_zone) == expected


@given(
    st.integers(2001, 2100),
    st.integers(1, 12),
    st.timedeltas(timedelta(days=-5), timedelta(days=5)),
    st.sampled_from(sorted(zone_names())),
)
def test_a_month_is_that_of_the_day(
    year: int, month: int, after: timedelta, time_zone: str
) -> None:
    """Instants near the end of a month have the month of the zone."""
    instant = datetime(year, month, 1, tzinfo=UTC) + after
    assert month_of(instant, time_zone) == day_of(instant, time_zone).replace(day=1)


def test_only_listed_zones_exist() -> None:
    """A zone is one of the IANA names; a path is not a zone."""
    assert "Asia/Shanghai" in zone_names()
    assert zone("Asia/Shanghai") is zone("Asia/Shanghai")
    for name in ("Mars/Olympus", "../zones", "", "Asia"):
        with pytest.raises(KeyError):
            zone(name)


def test_every_listed_zone_opens() -> None:
    """Every zone name that a shop may have gives a day."""
    assert {day_of(NOW, name) for name in zone_names()} <= {
        NOW.date() - timedelta(days=1),
        NOW.date(),
    }


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (FIRST_INSTANT, True),
        (FIRST_INSTANT - timedelta(microseconds=1), False),
        (NOW + timedelta(minutes=10), True),
        (NOW + timedelta(minutes=10, microseconds=1), False),
    ],
)
def test_facts_reach_from_2000_to_ten_minutes_ahead(instant: datetime, *, expected: bool) -> None:
    """Both limits are admitted."""
    assert (FIRST_INSTANT <= instant <= last_instant(NOW)) is expected


def test_a_window_includes_both_its_ends() -> None:
    """180 days that end on 21 November start on 26 May."""
    assert window(date(2026, 11, 21), 180) == Window(date(2026, 5, 26), date(2026, 11, 21), 180)
    assert window(date(2026, 11, 21), 1) == Window(date(2026, 11, 21), date(2026, 11, 21), 1)


def test_days_stop_at_the_first_of_the_calendar() -> None:
    """Going back before the calendar ends at its first day instead of failing."""
    assert days_before(date(1, 1, 3), 2) == date.min
    assert days_before(date(1, 1, 3), 3) == date.min


def test_days_between_include_both_ends() -> None:
    """Days rise from the first to the last; an end before the start gives none."""
    assert list(days_between(day(0), day(2))) == [day(0), day(1), day(2)]
    assert list(days_between(day(0), day(0))) == [day(0)]
    assert list(days_between(day(1), day(0))) == []


@given(day_totals, st.integers(0, SPAN - 1), st.integers(1, SPAN), st.integers(0, SPAN))
def test_a_window_splits_and_adds_up(
    days: dict[date, list[int]], last: int, length: int, later: int
) -> None:
    """The totals of two parts of a window sum to those of the window."""
    later = min(later, length)
    undivided = sum_window(days, window(day(last), length))
    new = sum_window(days, window(day(last), later))
    old = sum_window(days, window(day(last - later), length - later))
    assert undivided == [a + b for a, b in zip(old, new, strict=True)]
    assert undivided == sum_of(days, last - length + 1, last)
