"""Totals: a vector of integers, one for each counter that is a column.

Totals of a window are the sums of its days.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import IntEnum
from typing import TypeAlias

import msgspec

from domain.counters import DIMENSIONS, FIELDS, PLACES, STARS, Dimension
from domain.days import ONE_DAY, Window, days_between, window

_HISTOGRAMS = {
    dimension: slice(PLACES[f"{dimension}_{STARS[0]}"], PLACES[f"{dimension}_{STARS[-1]}"] + 1)
    for dimension in DIMENSIONS
}

LATE, CAPPED, REMOVED = (PLACES[name] for name in ("late", "capped", "removed"))
PAID, REFUNDED = (PLACES[name] for name in ("paid", "refunded"))
ON_SALE, SOLD, UNLISTED_SOLD = (PLACES[name] for name in ("on_sale", "sold", "unlisted_sold"))
_DESCRIPTION, _SERVICE, _LOGISTICS = (place.start - 1 for place in _HISTOGRAMS.values())
_REASONS = LATE - 1

Totals: TypeAlias = Sequence[int]
"""One integer for each of `FIELDS`; money in minor units."""

DayTotals: TypeAlias = Mapping[date, Totals]
"""Totals by day; a day on which nothing happened may be absent."""


class RatingState(IntEnum):
    """Whether a rating counts, and if not, the first reason why."""

    COUNTED = 0
    LATE = 1
    CAPPED = 2
    REMOVED = 3


_COUNTED = RatingState.COUNTED


class Histogram(msgspec.Struct, frozen=True, array_like=True):
    """How many ratings of 1, 2, 3, 4 and 5 stars; in JSON a list of five integers."""

    ones: int
    twos: int
    threes: int
    fours: int
    fives: int

    @property
    def count(self) -> int:
        """Count the ratings."""
        return self.ones + self.twos + self.threes + self.fours + self.fives

    @property
    def sum(self) -> int:
        """Sum the stars."""
        return self.ones + 2 * self.twos + 3 * self.threes + 4 * self.fours + 5 * self.fives


def zero_totals() -> list[int]:
    """Return the totals of a day on which nothing happened."""
    return [0] * len(FIELDS)


def add(to: list[int], totals: Totals, sign: int = 1) -> None:
    """Add totals in place, or subtract them with sign -1."""
    for index, value in enumerate(totals):
        if value:
            to[index] += sign * value


def sum_days(days: Iterable[Totals]) -> list[int]:
    """Return the sums of the totals of several days."""
    return [sum(column) for column in zip(*days, strict=True)] or zero_totals()


def sum_window(days: DayTotals, span: Window) -> list[int]:
    """Return the totals of a window."""
    return sum_days(totals for day, totals in days.items() if span.start <= day <= span.end)


def rolling_totals(days: DayTotals, ends: Window, length: int) -> Iterator[list[int]]:
    """Yield the totals of the `length` days up to each day of `ends`."""
    totals = sum_window(days, window(ends.start, length))
    yield list(totals)
    for day in days_between(ends.start + ONE_DAY, ends.end):
        add(totals, days.get(day, ()))
        add(totals, days.get(day - timedelta(days=length), ()), -1)
        yield list(totals)


def histogram(totals: Totals, dimension: Dimension) -> Histogram:
    """Return the counted ratings of one dimension."""
    return Histogram(*totals[_HISTOGRAMS[dimension]])


def add_rating(
    to: list[int],
    scores: tuple[int | None, int | None, int | None],
    state: RatingState,
    sign: int = 1,
) -> None:
    """Add a rating to totals, or subtract it with sign -1.

    A counted rating adds to its stars in each dimension, any other to the counter of its state.
    """
    if state is not _COUNTED:
        to[_REASONS + state] += sign
        return
    description, service, logistics = scores
    if description is not None:
        to[_DESCRIPTION + description] += sign
    if service is not None:
        to[_SERVICE + service] += sign
    if logistics is not None:
        to[_LOGISTICS + logistics] += sign
