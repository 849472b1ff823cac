"""Days and windows in a shop's own time zone.

Zones come from the `tzdata` package that the lock file pins, not from the operating system.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec

FIRST_DAY = date(2000, 1, 1)
FIRST_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_TOLERANCE = timedelta(minutes=10)
ONE_DAY = timedelta(days=1)


@cache
def zone_names() -> frozenset[str]:
    """Return every IANA zone name that a shop may have."""
    return frozenset((resources.files("tzdata") / "zones").read_text("utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name; raise KeyError outside `zone_names()`."""
    if name not in zone_names():
        raise KeyError(name)
    path = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def day_of(instant: datetime, time_zone: str) -> date:
    """Return the calendar day on which an aware instant falls in the zone."""
    return instant.astimezone(zone(time_zone)).date()


def month_of(instant: datetime, time_zone: str) -> date:
    """Return the first day of the zone's month of an instant in UTC."""
    # No zone is 24 hours from UTC, and converting an instant to a zone is slow.
    day = instant if 1 < instant.day < 28 else day_of(instant, time_zone)
    return date(day.year, day.month, 1)


def last_instant(now: datetime) -> datetime:
    """Return the last instant that facts may carry, as `FIRST_INSTANT` is the first."""
    return now + CLOCK_TOLERANCE


class Window(msgspec.Struct, frozen=True):
    """A run of whole days, both ends included."""

    start: date
    end: date
    days: int


@lru_cache(4096)
def window(end: date, days: int) -> Window:
    """Return the `days` days that end on `end`."""
    return Window(days_before(end, days - 1), end, days)


def days_before(day: date, days: int) -> date:
    """Return the day so many days earlier, or the first day of the calendar."""
    try:
        return day - timedelta(days=days)
    except OverflowError:
        return date.min


def days_between(start: date, end: date) -> Iterator[date]:
    """Yield each day from `start` to `end`, both included."""
    return (start + timedelta(days=n) for n in range((end - start).days + 1))
