"""A shop in memory, recorded batch by batch, and the same counted from its facts alone."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from domain.facts import AGGREGATES
from domain.facts.aggregate import (
    FactsByKind,
    ProjectedAggregate,
    ReviewKey,
    SoldUnits,
    Stored,
    Sums,
)
from domain.facts.fact import Fact, Identity, KnownShop, Version
from domain.facts.listings import LISTINGS
from domain.facts.ratings import Moderation, Rating, add_ratings, is_removed
from domain.recording import Outcome, Refused, decide
from domain.totals import RatingState
from tests.domain.builders import finish


class MemoryShop:
    """A shop whose versions are stored in memory, with the sums that batches moved."""

    def __init__(self, shop: KnownShop) -> None:
        self.shop = shop
        self.versions: dict[Identity, Version] = {}
        self.days: defaultdict[date, list[int]] = Sums().days
        self.sale_days: defaultdict[str, dict[date, int]] = defaultdict(dict)
        self.states: dict[ReviewKey, RatingState] = {}

    def record(
        self, versions: Sequence[Version | Refused], *, strict: bool = False
    ) -> list[Outcome]:
        """Record a batch and return its outcomes."""
        recording = finish(decide([(versions, strict)], self.read(versions), {1: self.shop}))
        self.versions.update(recording.changes)
        self.states |= recording.states
        moved = recording.moved[1]
        for day, totals in moved.days.items():
            self.days[day] = [a + b for a, b in zip(self.days[day], totals, strict=True)]
        for (listing_id, day), units in moved.units.items():
            sold = self.sale_days[listing_id]
            sold[day] = sold.get(day, 0) + units
            if not sold[day]:
                del sold[day]
        [outcomes] = recording.outcomes
        return outcomes

    def read(self, _versions: Sequence[Version | Refused]) -> Stored:
        """Return what is known when a batch is recorded: here everything."""
        return Stored(dict(self.versions), self.states, {1: self.sale_days})

    def totals(self) -> dict[date, list[int]]:
        """Return the totals of the days that are not empty."""
        return {day: totals for day, totals in self.days.items() if any(totals)}


def recounted(
    versions: dict[Identity, Version], shop: KnownShop
) -> tuple[dict[date, list[int]], dict[str, dict[date, int]], dict[ReviewKey, RatingState]]:
    """Return the totals, sale days and states of a shop from its facts alone."""
    sums, states = Sums(), dict[ReviewKey, RatingState]()
    facts = FactsByKind(versions.values())
    moderations = facts.of(Moderation)
    months: defaultdict[object, list[tuple[Rating, bool]]] = defaultdict(list)
    for rating in facts.of(Rating):
        own = (m for m in moderations if m.review_id == rating.review_id)
        months[rating.buyer_month].append((rating, is_removed(own)))
    for members in months.values():
        counted = finish(add_ratings(sums.days, members, shop.rules))
        states |= {(1, review_id): state for review_id, state in counted.items()}
    for aggregate in AGGREGATES:
        if isinstance(aggregate, ProjectedAggregate):
            groups: defaultdict[object, list[Fact]] = defaultdict(list)
            for kind in aggregate.projected:
                for version in versions.values():
                    if type(version) is kind.fact:
                        groups[getattr(version, aggregate.key)].append(version)
            if aggregate is LISTINGS:
                groups |= {listing_id: groups[listing_id] for listing_id in sums.sale_days}
            for key, group in groups.items():
                sold: SoldUnits = sums.sale_days.get(str(key), {})
                sums.add(aggregate.project(group, shop, sold))
    days = {day: totals for day, totals in sums.days.items() if any(totals)}
    return days, {listing_id: dict(sold) for listing_id, sold in sums.sale_days.items()}, states
