"""Ratings: reviews as they are posted, taken out and put back, and which of them count."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain import days, totals
from domain.events import Envelope, Instant
from domain.facts.aggregate import (
    AffectedKeys,
    Aggregate,
    BuyerMonth,
    Recording,
    ReviewKey,
    Shops,
    Stored,
)
from domain.facts.fact import Fact, FactKind, KnownShop, instant
from domain.names import Comment, Id
from domain.rules import Rules
from domain.totals import RatingState

COUNTED, LATE, CAPPED, REMOVED = RatingState

Stars = Annotated[int, Meta(ge=1, le=5)]
Reason = Literal["malicious", "violating_trade", "force_majeure", "other"]


class Scores(msgspec.Struct, frozen=True, gc=False):
    """Stars of one rating; at least one dimension."""

    description: Stars | None = None
    service: Stars | None = None
    logistics: Stars | None = None

    def __post_init__(self) -> None:
        if self.description is None and self.service is None and self.logistics is None:
            raise ValueError("Expected at least one of `description`, `service`, `logistics`")


class PostedReview(msgspec.Struct, frozen=True, gc=False):
    """A buyer's rating of one order."""

    review_id: Id
    order_id: Id
    buyer_id: Id
    scores: Scores
    listing_id: Id | None = None
    completed_at: Instant | None = None
    comment: Comment | None = None


class ModeratedReview(msgspec.Struct, frozen=True, gc=False):
    """The marketplace takes a rating out, or puts it back."""

    review_id: Id
    reason: Reason | None = None
    note: Comment | None = None


class ReviewPosted(Envelope, frozen=True, gc=False, tag="review.posted"):
    """See `PostedReview`."""

    data: PostedReview


class ReviewRemoved(Envelope, frozen=True, gc=False, tag="review.removed"):
    """See `ModeratedReview`."""

    data: ModeratedReview


class ReviewRestored(Envelope, frozen=True, gc=False, tag="review.restored"):
    """See `ModeratedReview`."""

    data: ModeratedReview


Event = ReviewPosted | ReviewRemoved | ReviewRestored


class Rating(Fact, frozen=True, gc=False):
    """One buyer's stars for one order; `month` is the first day of its month of completion."""

    review_id: str
    buyer_id: str
    month: date
    time: datetime
    completed_at: datetime | None
    day: date
    description: int | None
    service: int | None
    logistics: int | None
    order_id: str
    listing_id: str | None
    comment: str | None

    @property
    def scores(self) -> tuple[int | None, int | None, int | None]:
        """Stars by dimension, in the order of `DIMENSIONS`."""
        return self.description, self.service, self.logistics


class Moderation(Fact, frozen=True, gc=False):
    """The marketplace took a rating out (`removes`) or put it back in."""

    review_id: str
    time: datetime
    removes: bool
    reason: str | None
    note: str | None


def _rating(event: ReviewPosted, shop: KnownShop, last: datetime) -> Rating:
    data = event.data
    time = instant(event.time, last)
    completed_at = None
    if data.completed_at is not None:
        completed_at = instant(data.completed_at, last, "/data/completed_at")
    return Rating(
        shop_key=shop.shop_key,
        review_id=data.review_id,
        buyer_id=data.buyer_id,
        month=days.month_of(completed_at or time, shop.time_zone),
        time=time,
        completed_at=completed_at,
        day=days.day_of(time, shop.time_zone),
        description=data.scores.description,
        service=data.scores.service,
        logistics=data.scores.logistics,
        order_id=data.order_id,
        listing_id=data.listing_id,
        comment=data.comment,
    )


def _moderation(
    event: ReviewRemoved | ReviewRestored, shop: KnownShop, last: datetime
) -> Moderation:
    data = event.data
    return Moderation(
        shop_key=shop.shop_key,
        review_id=data.review_id,
        time=instant(event.time, last),
        removes=isinstance(event, ReviewRemoved),
        reason=data.reason,
        note=data.note,
    )


def is_late(rating: Rating, rules: Rules) -> bool:
    """Tell whether the rating was given after its deadline had passed."""
    return (
        rules.rating_deadline_days is not None
        and rating.completed_at is not None
        and rating.time - rating.completed_at > _days(rules.rating_deadline_days)
    )


def is_removed(moderations: Iterable[Moderation]) -> bool:
    """Tell whether the last word on a review takes it out; at the same instant removal holds."""
    last = max(moderations, key=lambda m: (m.time, m.removes), default=None)
    return last is not None and last.removes


def rating_states(ratings: Sequence[tuple[Rating, bool]], rules: Rules) -> dict[str, RatingState]:
    """Return the states, by review id, of all ratings of a shop, buyer and month of completion.

    The value beside each rating says whether it is removed. Order does not matter.
    """
    states = {
        rating.review_id: REMOVED if removed else LATE if is_late(rating, rules) else COUNTED
        for rating, removed in ratings
    }
    cap = rules.ratings_per_buyer_month
    if cap is not None and len(states) > cap:
        candidates = [rating for rating, _ in ratings if states[rating.review_id] is COUNTED]
        for rating in sorted(candidates, key=_cap_order)[cap:]:
            states[rating.review_id] = CAPPED
    return states


@cache
def _days(days: int) -> timedelta:
    return timedelta(days=days)


def _cap_order(rating: Rating) -> tuple[datetime, datetime, str]:
    # Review ids are ASCII, so comparing them as text compares their bytes.
    return rating.completed_at or rating.time, rating.time, rating.review_id


def _affect(fact: Rating | Moderation, keys: AffectedKeys) -> None:
    keys.facts[type(fact)].add((fact.shop_key, fact.review_id))
    if isinstance(fact, Rating):
        keys.buyer_months.add((fact.shop_key, fact.month, fact.buyer_id))


def _record(recording: Recording, stored: Stored, shops: Shops) -> None:
    if not any(isinstance(fact, Rating | Moderation) for fact in recording.facts):
        return
    moderations: defaultdict[ReviewKey, list[Moderation]] = defaultdict(list)
    for fact in (*stored.facts.values(), *recording.facts):
        if isinstance(fact, Moderation):
            moderations[fact.shop_key, fact.review_id].append(fact)

    for (shop_key, _, _), cohort in _unsettled(recording, stored).items():
        members = []
        for rating in cohort:
            key = shop_key, rating.review_id
            if key in moderations:
                removed = is_removed(moderations[key])
            else:
                removed = stored.states.get(key) is REMOVED
            members.append((rating, removed))
        states = rating_states(members, shops[shop_key].rules)
        for rating in cohort:
            key = shop_key, rating.review_id
            before, after = stored.states.get(key), states[rating.review_id]
            if before is after:
                continue
            recording.states[key] = after
            day = recording.day(shop_key, rating.day)
            if before is not None:
                totals.add_rating(day, rating.scores, before, -1)
            totals.add_rating(day, rating.scores, after)


def _unsettled(recording: Recording, stored: Stored) -> dict[BuyerMonth, list[Rating]]:
    """Return all ratings of those buyers and months where new facts may change states."""
    by_month: defaultdict[BuyerMonth, list[Rating]] = defaultdict(list)
    for fact in stored.facts.values():
        if isinstance(fact, Rating):
            by_month[fact.shop_key, fact.month, fact.buyer_id].append(fact)
    unsettled: dict[BuyerMonth, list[Rating]] = {}
    new: dict[ReviewKey, Rating] = {}
    for fact in recording.facts:
        if isinstance(fact, Rating):
            buyer_month = fact.shop_key, fact.month, fact.buyer_id
            unsettled[buyer_month] = cohort = by_month[buyer_month]
            cohort.append(fact)
            new[fact.shop_key, fact.review_id] = fact
    for fact in recording.facts:
        if isinstance(fact, Moderation):
            key = fact.shop_key, fact.review_id
            rating = new.get(key) or stored.facts.get((Rating, *key))
            if isinstance(rating, Rating):
                buyer_month = rating.shop_key, rating.month, rating.buyer_id
                unsettled[buyer_month] = by_month[buyer_month]
    return unsettled


RATINGS = FactKind(
    Rating, "ratings", ("review_id",), ("month", "buyer_id"), {ReviewPosted: _rating}, ("state",)
)
MODERATIONS = FactKind(
    Moderation,
    "moderations",
    ("review_id", "removes", "time"),
    ("review_id",),
    {ReviewRemoved: _moderation, ReviewRestored: _moderation},
)
AGGREGATE = Aggregate((RATINGS, MODERATIONS), _affect, _record)
