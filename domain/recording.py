"""Recording: what a batch of events changes, given what is already stored.

`settle` decides; the ledger behind the port reads what it asks for and stores what it decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, TypeAlias

import msgspec

from domain import ratings, sell_through, totals
from domain.days import last_instant
from domain.errors import EventCode, EventRefused, FieldError
from domain.events import Event
from domain.facts import (
    Fact,
    Identity,
    KnownShop,
    ListingEvent,
    Moderation,
    Order,
    Rating,
    Refund,
    StockCount,
    admit,
)
from domain.totals import RatingState

ReviewKey: TypeAlias = tuple[int, str]
"""Shop key and review id."""
ListingKey: TypeAlias = tuple[int, str]
"""Shop key and listing id."""
BuyerMonth: TypeAlias = tuple[int, date, str]
"""Shop key, month of completion and buyer id: the ratings that share one cap."""


class Refused(msgspec.Struct, frozen=True, gc=False):
    """An event was not taken, and why."""

    code: EventCode
    errors: list[FieldError] = []


Outcome: TypeAlias = Literal["stored", "duplicate"] | Refused
"""What became of one event."""

UNKNOWN_SHOP = Refused(
    "unknown_shop", [FieldError("/subject", "Expected the id of a registered shop")]
)
CONFLICT = Refused("conflict")


class Submission(msgspec.Struct, frozen=True):
    """The events of one request, those that could not be read already refused.

    `shop_ids` are the only shops its key reaches, None for all of the tenant's. `strict` takes
    all events or none.
    """

    tenant_id: int
    shop_ids: frozenset[str] | None
    events: Sequence[Event | Refused]
    strict: bool = False

    def subjects(self) -> set[str]:
        """Ids of the shops these events are of, as far as the key reaches."""
        named = {event.subject for event in self.events if not isinstance(event, Refused)}
        return named if self.shop_ids is None else named & self.shop_ids


class AffectedKeys(msgspec.Struct, frozen=True):
    """What a batch of facts touches, so what must be known to settle it."""

    rated: set[ReviewKey]
    buyer_months: set[BuyerMonth]
    moderated: set[ReviewKey]
    orders: set[tuple[int, str]]
    refunds: set[tuple[int, str]]
    listings: dict[ListingKey, date]
    """The first day on which anything changes."""
    stock: set[tuple[int, str, datetime]]


class Stored(msgspec.Struct, frozen=True):
    """What is stored of what a batch touches."""

    facts: dict[Identity, Fact]
    states: dict[ReviewKey, RatingState]
    """Of every rating of the touched buyers and months; the ratings are among `facts`."""
    sale_days: dict[ListingKey, list[date]]
    """Rising, from a sold window before the first day touched."""


class Recording(msgspec.Struct, frozen=True):
    """What to store: new facts with the states of ratings, and what moves because of them."""

    outcomes: list[list[Outcome]]
    facts: list[Fact]
    states: dict[ReviewKey, RatingState]
    """Of new ratings, and of stored ones whose state changed."""
    days: dict[tuple[int, date], list[int]]
    units: dict[tuple[int, str, date], int]


def admitted(
    submission: Submission, shops: Mapping[tuple[int, str], KnownShop], now: datetime
) -> Iterator[Fact | Refused]:
    """Each event as a fact of its shop, or why not; `shops` by tenant and id."""
    tenant_id, reached = submission.tenant_id, submission.shop_ids
    last = last_instant(now)
    for event in submission.events:
        if isinstance(event, Refused):
            yield event
            continue
        shop = shops.get((tenant_id, event.subject))
        if shop is None or (reached is not None and event.subject not in reached):
            yield UNKNOWN_SHOP
            continue
        try:
            yield admit(event, shop, last)
        except EventRefused as refusal:
            yield Refused(refusal.code, refusal.errors)


def touched(facts: Iterable[Fact]) -> AffectedKeys:
    """What these facts touch."""
    found = AffectedKeys(set(), set(), set(), set(), set(), {}, set())
    for fact in facts:
        match fact:
            case Rating():
                found.rated.add((fact.shop_key, fact.review_id))
                found.buyer_months.add((fact.shop_key, fact.month, fact.buyer_id))
            case Moderation():
                found.moderated.add((fact.shop_key, fact.review_id))
            case Order():
                found.orders.add((fact.shop_key, fact.order_id))
                for listing_id in fact.listing_ids:
                    _touch(found.listings, (fact.shop_key, listing_id), fact.day)
            case Refund():
                found.refunds.add((fact.shop_key, fact.refund_id))
            case ListingEvent():
                _touch(found.listings, (fact.shop_key, fact.listing_id), fact.day)
            case StockCount():
                found.stock.add((fact.shop_key, fact.listing_id, fact.time))
    return found


def together(parts: Iterable[AffectedKeys]) -> AffectedKeys:
    """What several batches of facts touch."""
    found = touched([])
    for part in parts:
        found.rated.update(part.rated)
        found.buyer_months.update(part.buyer_months)
        found.moderated.update(part.moderated)
        found.orders.update(part.orders)
        found.refunds.update(part.refunds)
        found.stock.update(part.stock)
        for key, day in part.listings.items():
            _touch(found.listings, key, day)
    return found


def _touch(listings: dict[ListingKey, date], key: ListingKey, day: date) -> None:
    known = listings.get(key)
    if known is None or day < known:
        listings[key] = day


def settle(
    submissions: Sequence[tuple[Sequence[Fact | Refused], bool]],
    stored: Stored,
    shops: Mapping[int, KnownShop],
) -> Recording:
    """Decide each submission in turn: its facts or refusals, and whether it is strict.

    `shops` by key. The first of several facts with one identity stands, be it stored or earlier
    in the batch.
    """
    seen = dict(stored.facts)
    outcomes: list[list[Outcome]] = []
    new: list[Fact] = []
    for items, strict in submissions:
        found: list[Outcome] = []
        start = len(new)
        for item in items:
            if isinstance(item, Refused):
                found.append(item)
                continue
            identity = item.identity
            before = seen.get(identity)
            if before is None:
                seen[identity] = item
                new.append(item)
                found.append("stored")
            else:
                found.append("duplicate" if before == item else CONFLICT)
        outcomes.append(found)
        if strict and any(isinstance(outcome, Refused) for outcome in found):
            for fact in new[start:]:
                del seen[fact.identity]
            del new[start:]
    recording = Recording(outcomes, new, {}, {}, {})
    _settle_ratings(recording, stored, seen, shops)
    _settle_sales(recording)
    _settle_listings(recording, stored, shops)
    return recording


def _settle_ratings(
    recording: Recording,
    stored: Stored,
    seen: Mapping[Identity, Fact],
    shops: Mapping[int, KnownShop],
) -> None:
    moderations: defaultdict[ReviewKey, list[Moderation]] = defaultdict(list)
    for fact in seen.values():
        if isinstance(fact, Moderation):
            moderations[fact.shop_key, fact.review_id].append(fact)

    for (shop_key, _, _), cohort in _unsettled(recording, stored, seen).items():
        members = []
        for rating in cohort:
            key = shop_key, rating.review_id
            if key in moderations:
                removed = ratings.is_removed(moderations[key])
            else:
                removed = stored.states.get(key) is ratings.REMOVED
            members.append((rating, removed))
        states = ratings.settle(members, shops[shop_key].rules)
        for rating in cohort:
            key = shop_key, rating.review_id
            before, after = stored.states.get(key), states[rating.review_id]
            if before is after:
                continue
            recording.states[key] = after
            day = _day(recording, shop_key, rating.day)
            if before is not None:
                totals.add_rating(day, rating.scores, before, -1)
            totals.add_rating(day, rating.scores, after)


def _unsettled(
    recording: Recording, stored: Stored, seen: Mapping[Identity, Fact]
) -> dict[BuyerMonth, list[Rating]]:
    """All ratings of those buyers and months where new facts may change states."""
    by_month: defaultdict[BuyerMonth, list[Rating]] = defaultdict(list)
    for fact in stored.facts.values():
        if isinstance(fact, Rating):
            by_month[fact.shop_key, fact.month, fact.buyer_id].append(fact)
    found: dict[BuyerMonth, list[Rating]] = {}
    for fact in recording.facts:
        if isinstance(fact, Rating):
            buyer_month = fact.shop_key, fact.month, fact.buyer_id
            found[buyer_month] = cohort = by_month[buyer_month]
            cohort.append(fact)
    for fact in recording.facts:
        if isinstance(fact, Moderation):
            rating = seen.get((Rating, fact.shop_key, fact.review_id))
            if isinstance(rating, Rating):
                buyer_month = rating.shop_key, rating.month, rating.buyer_id
                found[buyer_month] = by_month[buyer_month]
    return found


def _settle_sales(recording: Recording) -> None:
    for fact in recording.facts:
        if isinstance(fact, Order):
            _day(recording, fact.shop_key, fact.day)[totals.PAID] += sum(fact.amounts)
            for listing_id, quantity in zip(fact.listing_ids, fact.quantities, strict=True):
                key = (fact.shop_key, listing_id, fact.day)
                recording.units[key] = recording.units.get(key, 0) + quantity
        elif isinstance(fact, Refund):
            _day(recording, fact.shop_key, fact.day)[totals.REFUNDED] += fact.amount


def _settle_listings(recording: Recording, stored: Stored, shops: Mapping[int, KnownShop]) -> None:
    sold_on: defaultdict[ListingKey, set[date]] = defaultdict(set)
    for shop_key, listing_id, day in recording.units:
        sold_on[shop_key, listing_id].add(day)
    events: defaultdict[ListingKey, list[ListingEvent]] = defaultdict(list)
    for fact in recording.facts:
        if isinstance(fact, ListingEvent):
            events[fact.shop_key, fact.listing_id].append(fact)
    events_before: defaultdict[ListingKey, list[ListingEvent]] = defaultdict(list)
    for fact in stored.facts.values():
        if isinstance(fact, ListingEvent):
            events_before[fact.shop_key, fact.listing_id].append(fact)

    for key in sold_on.keys() | events.keys():
        days_before_this = stored.sale_days.get(key, [])
        days_after = sorted(sold_on[key].union(days_before_this))
        if key not in events and len(days_after) == len(days_before_this):
            continue
        shop_key = key[0]
        length = shops[shop_key].rules.sold_window_days
        before = sell_through.steps(events_before[key], days_before_this, length)
        after = sell_through.steps(events_before[key] + events[key], days_after, length)
        for steps, sign in ((before, -1), (after, 1)):
            for day, (on_sale, sold) in steps.items():
                into = _day(recording, shop_key, day)
                into[totals.ON_SALE] += sign * on_sale
                into[totals.SOLD] += sign * sold


def _day(recording: Recording, shop_key: int, day: date) -> list[int]:
    key = (shop_key, day)
    found = recording.days.get(key)
    if found is None:
        found = recording.days[key] = totals.nothing()
    return found
