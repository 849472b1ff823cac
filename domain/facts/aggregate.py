"""Aggregates: facts that count together, and what recording them changes.

Recording is what an aggregate's facts add to the shop's days with the new facts, less what they
added without them. Recounting is the sum over all aggregates.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias, TypeVar

import msgspec

from domain import totals
from domain.counters import PLACES, ROWS
from domain.facts.fact import Fact, FactKind, Identity, Key, KnownShop
from domain.rules import Rules
from domain.totals import RatingState

T = TypeVar("T")

ReviewKey: TypeAlias = tuple[int, str]
"""Shop key and review id."""
ListingKey: TypeAlias = tuple[int, str]
"""Shop key and listing id."""
BuyerMonth: TypeAlias = tuple[int, date, str]
"""Shop key, month of completion and buyer id: the ratings that share one cap."""
Counts: TypeAlias = dict[tuple[date, str], int]
"""What is added to each day and counter."""
Units: TypeAlias = dict[tuple[str, date], int]
"""Units sold of each listing and day."""


class Projection(msgspec.Struct, frozen=True):
    """What the facts of one aggregate add to their shop."""

    counts: Counts
    units: Units

    def less(self, other: "Projection") -> "Projection":
        """Return what this adds beyond another projection, where that is not nothing."""
        return Projection(_less(self.counts, other.counts), _less(self.units, other.units))


def _less(minuend: dict[T, int], subtrahend: Mapping[T, int]) -> dict[T, int]:
    keys = minuend.keys() | subtrahend.keys()
    differences = ((key, minuend.get(key, 0) - subtrahend.get(key, 0)) for key in keys)
    return {key: n for key, n in differences if n}


class AffectedKeys(msgspec.Struct, frozen=True):
    """What a batch of facts affects, so what must be known to record it."""

    facts: defaultdict[type[Fact], set[Key]]
    """Facts to look up by their identity."""
    aggregates: defaultdict[type[Fact], set[Key]]
    """Facts to look up by their aggregate."""
    buyer_months: set[BuyerMonth]
    listings: dict[ListingKey, date]
    """The first day on which anything changes."""

    def add_listing(self, key: ListingKey, day: date) -> None:
        """Note that a listing changes from a day on."""
        known = self.listings.get(key)
        if known is None or day < known:
            self.listings[key] = day


def merge(parts: Iterable[AffectedKeys]) -> AffectedKeys:
    """Return what several batches of facts affect."""
    merged = AffectedKeys(defaultdict(set), defaultdict(set), set(), {})
    for part in parts:
        for fact, keys in part.facts.items():
            merged.facts[fact] |= keys
        for fact, keys in part.aggregates.items():
            merged.aggregates[fact] |= keys
        merged.buyer_months.update(part.buyer_months)
        for key, day in part.listings.items():
            merged.add_listing(key, day)
    return merged


class Stored(msgspec.Struct, frozen=True):
    """What is stored of what a batch affects."""

    facts: dict[Identity, Fact]
    states: dict[ReviewKey, RatingState]
    """Of every rating of the affected buyers and months; the ratings are among `facts`."""
    sale_days: dict[ListingKey, list[date]]
    """Rising, from a sold window before the first day affected."""


class Recording(msgspec.Struct, frozen=True):
    """What to store: new facts with the states of ratings, and what moves because of them."""

    facts: list[Fact]
    states: dict[ReviewKey, RatingState]
    """Of new ratings, and of stored ones whose state changed."""
    days: dict[tuple[int, date], list[int]]
    """Counters that are columns."""
    counts: dict[tuple[int, date, str], int]
    """Counters that are rows."""
    units: dict[tuple[int, str, date], int]

    def day(self, shop_key: int, day: date) -> list[int]:
        """Return what is added to a day of a shop, to be added to."""
        key = (shop_key, day)
        added = self.days.get(key)
        if added is None:
            added = self.days[key] = totals.nothing()
        return added

    def add(self, shop_key: int, projection: Projection) -> None:
        """Add what an aggregate adds to its shop."""
        for (day, counter), n in projection.counts.items():
            if counter in ROWS:
                row = (shop_key, day, counter)
                self.counts[row] = self.counts.get(row, 0) + n
            else:
                self.day(shop_key, day)[PLACES[counter]] += n
        for (listing_id, day), n in projection.units.items():
            unit = (shop_key, listing_id, day)
            self.units[unit] = self.units.get(unit, 0) + n


Shops: TypeAlias = Mapping[int, KnownShop]
"""Shops by key."""


@dataclass(frozen=True, eq=False)
class Aggregate:
    """Facts that count together.

    `affect` notes what must be read for a new fact; `record` adds what new facts change to a
    recording, whose facts they are. Where `project` is there, it alone says what facts count.
    """

    kinds: tuple[FactKind, ...]
    affect: Callable[[Any, AffectedKeys], None]
    record: Callable[[Recording, Stored, Shops], None]
    project: Callable[[Sequence[Fact], Rules], Projection] | None = None


def projected(
    kinds: tuple[FactKind, ...],
    project: Callable[[Sequence[Fact], Rules], Projection],
    affect_more: Callable[[Any, AffectedKeys], None],
) -> Aggregate:
    """Return an aggregate that a projection describes; facts of all kinds share its key."""
    kind_of = {kind.fact: kind for kind in kinds}

    def affect(fact: Fact, keys: AffectedKeys) -> None:
        kind = kind_of[type(fact)]
        aggregate = kind.aggregate_key(fact)
        for each in kinds:
            keys.aggregates[each.fact].add(aggregate)
        if kind.identity != kind.aggregate:
            keys.facts[type(fact)].add(kind.identity_key(fact))
        affect_more(fact, keys)

    def grouped(facts: Iterable[Fact]) -> defaultdict[Key, list[Fact]]:
        groups: defaultdict[Key, list[Fact]] = defaultdict(list)
        for fact in facts:
            if kind := kind_of.get(type(fact)):
                groups[kind.aggregate_key(fact)].append(fact)
        return groups

    def record(recording: Recording, stored: Stored, shops: Shops) -> None:
        added = grouped(recording.facts)
        before = grouped(stored.facts.values()) if added else added
        for key, facts in added.items():
            shop_key, rules = key[0], shops[key[0]].rules
            after = project([*before[key], *facts], rules)
            if before[key]:
                after = after.less(project(before[key], rules))
            recording.add(shop_key, after)

    return Aggregate(kinds, affect, record, project)
