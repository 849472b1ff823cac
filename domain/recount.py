"""Recounting: every total of a shop, computed again from its facts alone."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain
from typing import Any, TypeVar

import msgspec

from domain import totals
from domain.counters import FIELDS
from domain.facts.aggregate import ProjectedAggregate, SoldUnits, Sums
from domain.facts.fact import Fact, KnownShop
from domain.facts.listings import LISTINGS
from domain.facts.ratings import Rating, add_ratings
from domain.steps import Steps
from domain.totals import RatingState, Totals
from domain.windows import window_totals, windows_before

Key = TypeVar("Key", bound=tuple[Any, ...])


class Difference(msgspec.Struct, frozen=True):
    """A stored value that differs from the facts; `key` names the row within its shop."""

    table: str
    key: str
    stored: object
    recounted: object


class Recount:
    """The sum of all projections of one shop, as its facts are added."""

    def __init__(self, shop: KnownShop) -> None:
        self.shop = shop
        self.states: dict[str, RatingState] = {}
        """States that are stored otherwise, by review id."""
        self.wrong_days: dict[date, Totals] = {}
        """Recounted totals of days that are stored otherwise."""
        self.wrong_counts: dict[tuple[date, str], int] = {}
        """Recounted values of counters outside the columns, by day and counter."""
        self.wrong_units: dict[tuple[str, date], int] = {}
        """Recounted units, by listing id and day."""
        self.wrong_running: date | None = None
        """The day of the running totals, where these are wrong."""
        self.differences: list[Difference] = []
        self._sums = Sums()
        self._listed: set[str] = set()

    def add_ratings(self, cohort: Sequence[tuple[Rating, bool, RatingState]]) -> Steps[None]:
        """Add all ratings of one buyer and month.

        Each rating has whether it is removed, and its stored state.
        """
        ratings = [(rating, removed) for rating, removed, _ in cohort]
        states = yield from add_ratings(self._sums.days, ratings, self.shop.rules)
        for rating, _, stored in cohort:
            yield
            state = states[rating.review_id]
            if state is not stored:
                self.states[rating.review_id] = state
                self._differ("ratings", rating.review_id, stored.name, state.name)

    def add(self, aggregate: ProjectedAggregate, facts: Sequence[Fact]) -> None:
        """Add all facts of one aggregate; aggregates come in the order of `AGGREGATES`."""
        key = getattr(facts[0], aggregate.key)
        sold: SoldUnits = self._sums.sale_days.get(key, {})
        self._sums.add(aggregate.project(facts, self.shop, sold))
        if aggregate is LISTINGS:
            self._listed.add(key)

    def add_unlisted(self) -> Steps[None]:
        """Add the listings that sold and that no event names, after all aggregates."""
        for listing_id, sold in self._sums.sale_days.items():
            yield
            if listing_id not in self._listed:
                self._sums.add(LISTINGS.project((), self.shop, sold))

    def running(self, day: date) -> list[int]:
        """Return a day's running totals: its windows without the day, then the day."""
        days = self._sums.days
        before = window_totals(days, windows_before(day, self.shop.rules))
        return [*before, *days.get(day, totals.zero_totals())]

    def compare(
        self,
        days: Mapping[date, Totals],
        counts: Mapping[tuple[date, str], int],
        units: Mapping[tuple[str, date], int],
        running_day: date | None,
        running: Totals,
    ) -> Steps[None]:
        """Collect what is stored otherwise; without a `running_day` nothing is stored of running.

        The totals of the running day are stored in the row of the running totals, not in `days`.
        """
        others = {day: row for day, row in self._sums.days.items() if day != running_day}
        for day in sorted(days.keys() | others.keys()):
            yield
            stored, recounted = (
                list(rows.get(day, totals.zero_totals())) for rows in (days, others)
            )
            if stored != recounted:
                self.wrong_days[day] = recounted
                self._differ("daily_totals", f"{day}", _named(stored), _named(recounted))
        self.wrong_counts = yield from self._compare("counter_days", counts, self._sums.counts)
        self.wrong_units = yield from self._compare("listing_days", units, self._sums.units)
        if running_day is None:
            self._differ("shop_totals", "", None, "a row")
            return
        recounted = self.running(running_day)
        if list(running) != recounted:
            self.wrong_running = running_day
            self._differ("shop_totals", f"{running_day}", _named(running), _named(recounted))

    def _compare(
        self, table: str, stored: Mapping[Key, int], recounted: Mapping[Key, int]
    ) -> Steps[dict[Key, int]]:
        wrong: dict[Key, int] = {}
        for key in chain(stored, recounted):
            yield
            if stored.get(key, 0) != recounted.get(key, 0):
                wrong[key] = recounted.get(key, 0)
        for key, count in sorted(wrong.items()):
            yield
            self._differ(table, " ".join(map(str, key)), stored.get(key, 0), count)
        return wrong

    def _differ(self, table: str, key: str, stored: object, recounted: object) -> None:
        self.differences.append(Difference(table, key, stored, recounted))


def _named(row: Totals) -> dict[str, int]:
    fields = [*FIELDS, *(f"day_{field}" for field in FIELDS)]
    return {field: value for field, value in zip(fields[: len(row)], row, strict=True) if value}
