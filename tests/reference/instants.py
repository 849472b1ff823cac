"""Draw instants at the edges of windows, and spell them in many ways."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

_TICKS = (
    timedelta(0),
    timedelta(microseconds=-1),
    timedelta(microseconds=1),
    timedelta(seconds=-1),
    timedelta(seconds=1),
)
_WINDOWS = (1, 7, 8, 15, 28, 30, 89, 90, 91, 179, 180, 181)
_OFFSETS = (0, 480, 345, -690, 840, -180)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a calendar day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def summer_time_days(year: int, zone: ZoneInfo) -> list[date]:
    """Return the days of a year on which the zone's offset changes."""
    first = date(year, 1, 1)
    days = [first + timedelta(days=number) for number in range(365)]
    return [
        day
        for day in days
        if start_of_day(day + timedelta(days=1), zone) - start_of_day(day, zone)
        != timedelta(hours=24)
    ]


class Moments:
    """A source of instants for one shop, none later than `now`."""

    def __init__(
        self, rng: random.Random, zone: ZoneInfo, now: datetime, days: Sequence[date]
    ) -> None:
        """Store what instants are drawn from; `days` are the ends of windows."""
        self._rng = rng
        self._zone = zone
        self._now = now
        self._days = days
        self._summer_time_days = summer_time_days(now.year, zone)

    def any(self) -> datetime:
        """Draw an instant, mostly of the last eight months, often at an edge."""
        kind = self._rng.random()
        if kind < 0.5:
            moment = self._now - timedelta(seconds=self._rng.randint(0, 240 * 86_400))
        elif kind < 0.75:
            moment = self.edge()
        elif kind < 0.85 and self._summer_time_days:
            start = start_of_day(self._rng.choice(self._summer_time_days), self._zone)
            moment = start + timedelta(minutes=self._rng.randint(-60, 26 * 60))
        else:
            moment = self._now - timedelta(microseconds=self._rng.randint(0, 8 * 86_400 * 10**6))
        return self.past(moment)

    def edge(self) -> datetime:
        """Draw an instant around the midnight at which a day enters or leaves a window."""
        day = self._rng.choice(self._days) - timedelta(days=self._rng.choice(_WINDOWS) - 1)
        return self.past(start_of_day(day, self._zone) + self._rng.choice(_TICKS))

    def month_edge(self, near: datetime) -> datetime:
        """Draw an instant around the start of the month of another."""
        first = near.astimezone(self._zone).date().replace(day=1)
        return self.past(start_of_day(first, self._zone) + self._rng.choice(_TICKS))

    def past(self, moment: datetime) -> datetime:
        """Return the instant, or `now` where the instant is later."""
        return min(moment, self._now)


def written(rng: random.Random, instant: datetime) -> str:
    """Return the instant in a random spelling of RFC 3339."""
    offset = rng.choice(_OFFSETS)
    local = instant.astimezone(timezone(timedelta(minutes=offset)))
    text = local.replace(tzinfo=None, microsecond=0).isoformat()
    fraction = f"{local.microsecond:06}".rstrip("0")
    fraction += "0" * rng.choice((0, 0, 6 - len(fraction)))
    zulu = "Z" if offset == 0 and rng.random() < 0.8 else None
    sign = "-" if offset < 0 else "+"
    return (
        text
        + (f".{fraction}" if fraction else "")
        + (zulu or f"{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}")
    )
