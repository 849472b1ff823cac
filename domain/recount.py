"""Recounting: every total of a shop, worked out again from its facts alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

import msgspec

from domain import totals
from domain.counters import FIELDS, PLACES, ROWS
from domain.facts.aggregate import Projection
from domain.facts.listings import ListingEvent, steps
from domain.facts.ratings import Rating, rating_states
from domain.rules import Rules
from domain.totals import RatingState, Totals
from domain.windows import window_totals, windows_before

Key = TypeVar("Key", bound=tuple[Any, ...])


class Difference(msgspec.Struct, frozen=True):
    """A stored value that is not what the facts say; `key` names the row within its shop."""

    table: str
    key: str
    stored: object
    recounted: object


class Recount:
    """Totals of one shop under some rules, as facts are added to it."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.states: dict[str, RatingState] = {}
        """States that differ from what is stored, by review id."""
        self.days: defaultdict[date, list[int]] = defaultdict(totals.nothing)
        self.counts: defaultdict[tuple[date, str], int] = defaultdict(int)
        """Counters that are no column."""
        self.units: defaultdict[tuple[str, date], int] = defaultdict(int)
        self.wrong_days: dict[date, Totals] = {}
        """What is to be stored of days that are stored otherwise."""
        self.wrong_counts: list[tuple[date, str]] = []
        self.wrong_units: list[tuple[str, date]] = []
        self.wrong_running: date | None = None
        """The day of the running totals, where these are wrong."""
        self.differences: list[Difference] = []

    def add_ratings(self, group: Iterable[tuple[Rating, bool, RatingState]]) -> None:
        """Add all ratings of one buyer and month: whether each is removed, and its stored state."""
        group = list(group)
        states = rating_states([(rating, removed) for rating, removed, _ in group], self.rules)
        for rating, _, stored in group:
            state = states[rating.review_id]
            totals.add_rating(self.days[rating.day], rating.scores, state)
            if state is not stored:
                self.states[rating.review_id] = state
                self._differ("ratings", rating.review_id, stored.name, state.name)

    def add(self, projection: Projection) -> None:
        """Add the projection of an aggregate. All sales come before the listings' events."""
        for (day, counter), n in projection.counts.items():
            if counter in ROWS:
                self.counts[day, counter] += n
            else:
                self.days[day][PLACES[counter]] += n
        for unit, n in projection.units.items():
            self.units[unit] += n

    def add_listings(self, events: Mapping[str, list[ListingEvent]]) -> None:
        """Add everything reported of listings, by listing id."""
        sold_on: defaultdict[str, list[date]] = defaultdict(list)
        for listing_id, day in sorted(self.units):
            sold_on[listing_id].append(day)
        for listing_id, of_listing in events.items():
            moved = steps(of_listing, sold_on.get(listing_id, []), self.rules.sold_window_days)
            for day, (on_sale, sold) in moved.items():
                self.days[day][totals.ON_SALE] += on_sale
                self.days[day][totals.SOLD] += sold

    def running(self, day: date) -> list[int]:
        """Return the sums of a day's windows without the day itself, then what it adds."""
        before = window_totals(self.days, windows_before(day, self.rules))
        return [*before, *self.days.get(day, totals.nothing())]

    def compare(
        self,
        days: Mapping[date, Totals],
        counts: Mapping[tuple[date, str], int],
        units: Mapping[tuple[str, date], int],
        running_day: date | None,
        running: Totals,
    ) -> None:
        """Note what is stored otherwise than recounted; no `running_day`, no running totals.

        What the day of the running totals adds stands beside them, and not among the other days.
        """
        others = {day: row for day, row in self.days.items() if day != running_day}
        for day in sorted(days.keys() | others.keys()):
            stored, recounted = (list(rows.get(day, totals.nothing())) for rows in (days, others))
            if stored != recounted:
                self.wrong_days[day] = recounted
                self._differ("daily_totals", f"{day}", _named(stored), _named(recounted))
        self.wrong_counts = self._compare("counter_days", counts, self.counts)
        self.wrong_units = self._compare("listing_days", units, self.units)
        if running_day is None:
            self._differ("shop_totals", "", None, "a row")
            return
        recounted = self.running(running_day)
        if list(running) != recounted:
            self.wrong_running = running_day
            self._differ("shop_totals", f"{running_day}", _named(running), _named(recounted))

    def _compare(
        self, table: str, stored: Mapping[Key, int], recounted: Mapping[Key, int]
    ) -> list[Key]:
        wrong = [
            key
            for key in sorted(stored.keys() | recounted.keys())
            if stored.get(key, 0) != recounted.get(key, 0)
        ]
        for key in wrong:
            name = " ".join(map(str, key))
            self._differ(table, name, stored.get(key, 0), recounted.get(key, 0))
        return wrong

    def _differ(self, table: str, key: str, stored: object, recounted: object) -> None:
        self.differences.append(Difference(table, key, stored, recounted))


def _named(row: Totals) -> dict[str, int]:
    fields = [*FIELDS, *(f"day_{field}" for field in FIELDS)]
    return {field: value for field, value in zip(fields[: len(row)], row, strict=True) if value}
