"""Aggregates: facts that name the same id, and what they add to a shop.

A batch makes facts enter, and facts leave that a higher revision replaces or retracts. Recording
it adds, for each affected aggregate, its projection after the batch less its projection before.
Verifying a shop compares what is stored with the sum of all projections.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, Protocol, TypeAlias, TypeVar, cast

import msgspec

from domain import totals
from domain.counters import PLACES, ROWS
from domain.facts.fact import Fact, FactKind, Identity, KnownShop, Retraction, Version
from domain.steps import Steps
from domain.totals import RatingState

AnyFact = TypeVar("AnyFact", bound=Fact)

Key: TypeAlias = tuple[Any, ...]
"""Shop key, and the ids of an aggregate or a fact in the shop."""
ReviewKey: TypeAlias = tuple[int, str]
"""Shop key and review id."""
ListingDay: TypeAlias = tuple[int, str, date]
"""Shop key, listing id and a day."""
BuyerMonth: TypeAlias = tuple[int, date, str | None]
"""Shop key, month of completion and buyer id: the ratings that share one cap."""
RatingKey: TypeAlias = tuple[int, date, str, str]
"""Shop key, month of completion, buyer id and review id."""

SoldUnits: TypeAlias = Mapping[date, int]
"""Units that a listing sold, by day."""
SaleDays: TypeAlias = Mapping[str, SoldUnits]
"""Units that the listings of a shop sold, by listing id and day."""


class FactsByKind:
    """Facts and retractions grouped by kind."""

    def __init__(self, versions: Iterable[Version]) -> None:
        self._facts: defaultdict[type[Fact], list[Fact]] = defaultdict(list)
        self._retracted: defaultdict[type[Fact], list[Identity]] = defaultdict(list)
        for version in versions:
            if isinstance(version, Retraction):
                self._retracted[version.identity[0]].append(version.identity)
            else:
                self._facts[type(version)].append(version)

    def of(self, kind: type[AnyFact]) -> Sequence[AnyFact]:
        """Return the facts of a kind."""
        return cast("Sequence[AnyFact]", self._facts.get(kind, ()))

    def retracted(self, kind: type[Fact]) -> Sequence[Identity]:
        """Return the identities of the retracted facts of a kind."""
        return self._retracted.get(kind, ())


class AffectedKeys(msgspec.Struct, frozen=True):
    """The keys of everything that recording a batch of facts must read."""

    facts: defaultdict[type[Fact], set[Key]] = msgspec.field(
        default_factory=lambda: defaultdict(set)
    )
    """Identities of facts by kind."""
    rated: set[RatingKey] = set()
    """Ratings that may enter the buyer's month that they name."""
    named: set[ReviewKey] = set()
    """Reviews whose ratings may leave or enter the buyer's month in which they are stored."""
    moderations: set[Key] = set()
    """Identities of moderations that may enter or leave."""
    moderated: Counter[ReviewKey] = msgspec.field(default_factory=Counter)
    """How many moderations of a review may enter or leave."""
    sale_days: set[ListingDay] = set()
    """Days on which the units that listings sold may change."""
    listing_events: Counter[ListingDay] = msgspec.field(default_factory=Counter)
    """How many events of a listing may enter or leave a day."""


def merge(parts: Iterable[AffectedKeys]) -> AffectedKeys:
    """Return the keys of several batches that are recorded together."""
    merged = AffectedKeys()
    for part in parts:
        for fact, keys in part.facts.items():
            merged.facts[fact] |= keys
        merged.rated.update(part.rated)
        merged.named.update(part.named)
        merged.moderations.update(part.moderations)
        merged.moderated.update(part.moderated)
        merged.sale_days.update(part.sale_days)
        merged.listing_events.update(part.listing_events)
    return merged


class Stored(msgspec.Struct, frozen=True):
    """What is stored of the affected aggregates."""

    facts: dict[Identity, Version]
    states: dict[ReviewKey, RatingState]
    """States of the ratings in `facts`: those named, and those that may cross the cap."""
    sale_days: Mapping[int, SaleDays]
    """Sale days by shop key: enough to tell on which days a listing that changes had sold."""
    unread: dict[BuyerMonth, int] = {}
    """Numbers of ratings that are not in `facts` and stay counted, whatever the batch."""


class Projection(msgspec.Struct, frozen=True):
    """What an aggregate adds to its shop: counts by day and counter, units by listing and day."""

    counts: Mapping[tuple[date, str], int]
    units: Mapping[tuple[str, date], int] = {}


class Sums:
    """The sums of the projections of a shop."""

    def __init__(self, sale_days: SaleDays | None = None) -> None:
        """Start from zero, with the units that listings sold on stored days."""
        self.days: defaultdict[date, list[int]] = defaultdict(totals.zero_totals)
        self.counts: defaultdict[tuple[date, str], int] = defaultdict(int)
        """Counters outside the columns, by day and counter."""
        self.units: defaultdict[tuple[str, date], int] = defaultdict(int)
        """Units sold by listing id and day."""
        self.sale_days: defaultdict[str, defaultdict[date, int]] = defaultdict(_no_units)
        for listing_id, days in (sale_days or {}).items():
            self.sale_days[listing_id].update(days)

    def add(self, projection: Projection, sign: int = 1) -> None:
        """Add the projection of an aggregate, or subtract it with sign -1."""
        for (day, counter), count in projection.counts.items():
            if (place := PLACES.get(counter)) is not None:
                self.days[day][place] += sign * count
            elif counter in ROWS:
                self.counts[day, counter] += sign * count
            else:
                raise KeyError(counter)
        for (listing_id, day), units in projection.units.items():
            self.units[listing_id, day] += sign * units
            self.sale_days[listing_id][day] += sign * units


def _no_units() -> defaultdict[date, int]:
    return defaultdict(int)


class Batch:
    """Facts that enter and leave, stored facts beside them, and what these add to each shop."""

    def __init__(
        self,
        stored: Stored,
        changes: Mapping[Identity, Version],
        shops: Mapping[int, KnownShop],
    ) -> None:
        """Start with nothing moved.

        `changes` holds the new versions by identity, `shops` is by key.
        """
        self.stored = stored
        self.changes = changes
        self.shops = shops
        self.entering = FactsByKind(changes.values())
        self.leaving = FactsByKind(
            stored.facts[identity] for identity in changes if identity in stored.facts
        )
        self.unchanged = FactsByKind(
            version for identity, version in stored.facts.items() if identity not in changes
        )
        self.moved = {shop_key: Sums(stored.sale_days.get(shop_key)) for shop_key in shops}
        """What is added to each shop, by key."""
        self.states: dict[ReviewKey, RatingState] = {}
        """States of new ratings, and of stored ratings whose state changed."""

    def before(self, kind: type[AnyFact]) -> Sequence[AnyFact]:
        """Return the facts of a kind as they are before the batch."""
        return [*self.unchanged.of(kind), *self.leaving.of(kind)]

    def after(self, kind: type[AnyFact]) -> Sequence[AnyFact]:
        """Return the facts of a kind as they are after the batch."""
        return [*self.unchanged.of(kind), *self.entering.of(kind)]

    def moving(self, kind: type[AnyFact]) -> Sequence[AnyFact]:
        """Return the facts of a kind that enter or leave."""
        return [*self.leaving.of(kind), *self.entering.of(kind)]


class Aggregate(Protocol):
    """Facts that are projected together."""

    kinds: tuple[FactKind, ...]

    def affect(self, facts: FactsByKind, affected: AffectedKeys) -> Steps[None]:
        """Add the keys of everything that recording these facts must read."""
        ...

    def record(self, batch: Batch) -> Steps[None]:
        """Add to the batch what the facts that enter and leave add to each shop."""
        ...


Project: TypeAlias = Callable[[Sequence[Any], KnownShop, SoldUnits], Projection]
"""Returns what the facts of one aggregate, in any order, add to their shop.

The units are those sold under the id of the aggregate, which may have no facts.
"""


class ProjectedAggregate:
    """Facts with the same id in the same column, and what they add to a shop."""

    def __init__(self, key: str, kinds: tuple[FactKind, ...], project: Project) -> None:
        """Declare an aggregate; `key` is the column of its id."""
        self.key = key
        self.kinds = kinds
        self.project = project
        self.projected = [kind for kind in kinds if kind.is_projected]
        self._key_of: Callable[[Fact], Key] = attrgetter("shop_key", key)

    def affect(self, facts: FactsByKind, affected: AffectedKeys) -> Steps[None]:
        """Add the identities of these facts, retracted ones included."""
        for kind in self.kinds:
            if given := facts.of(kind.fact):
                affected.facts[kind.fact].update(map(attrgetter(*kind.identity), given))
            if retracted := facts.retracted(kind.fact):
                affected.facts[kind.fact].update(identity[1:] for identity in retracted)
            yield

    def record(self, batch: Batch) -> Steps[None]:
        """Add the change of each aggregate that facts enter or leave."""
        yield from self.move(
            batch,
            {self._key_of(fact) for kind in self.projected for fact in batch.moving(kind.fact)},
        )

    def move(self, batch: Batch, keys: Collection[Key]) -> Steps[None]:
        """Add the projection of each aggregate after the batch, and subtract the one before."""
        if not keys:
            return
        before = self._group(batch.before, keys)
        yield
        after = self._group(batch.after, keys)
        for key in keys:
            yield
            shop, moved = batch.shops[key[0]], batch.moved[key[0]]
            stored = batch.stored.sale_days.get(shop.shop_key, {})
            for sign, facts, sold in (
                (-1, before.get(key, ()), stored.get(key[1], {})),
                (1, after.get(key, ()), moved.sale_days.get(key[1], {})),
            ):
                if facts or sold:
                    moved.add(self.project(facts, shop, sold), sign)

    def _group(
        self, facts_of: Callable[[type[Fact]], Sequence[Fact]], keys: Collection[Key]
    ) -> Mapping[Key, list[Fact]]:
        groups: defaultdict[Key, list[Fact]] = defaultdict(list)
        for kind in self.projected:
            for fact in facts_of(kind.fact):
                if (key := self._key_of(fact)) in keys:
                    groups[key].append(fact)
        return groups
