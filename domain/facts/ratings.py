"""Ratings: their events, their facts, and which of them count."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from domain import totals
from domain.days import day_of, month_of
from domain.events import Envelope, Instant
from domain.facts.aggregate import AffectedKeys, Batch, BuyerMonth, FactsByKind, ReviewKey
from domain.facts.fact import Fact, FactKind, KnownShop, admit_instant
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
    """The marketplace removes a rating, or restores it."""

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


Event: TypeAlias = ReviewPosted | ReviewRemoved | ReviewRestored


class Rating(Fact, frozen=True, gc=False):
    """One buyer's stars for one order; `month` is the first day of its month of completion."""

    review_id: str
    buyer_id: str
    month: date
    completed_at: datetime | None
    description: int | None
    service: int | None
    logistics: int | None
    order_id: str
    listing_id: str | None
    comment: str | None

    @property
    def scores(self) -> tuple[int | None, int | None, int | None]:
        """Return the stars by dimension, in the order of `DIMENSIONS`."""
        return self.description, self.service, self.logistics


class Moderation(Fact, frozen=True, gc=False):
    """The marketplace removed a rating (`removes`) or restored it."""

    review_id: str
    removes: bool
    reason: str | None
    note: str | None


def _admit_rating(event: ReviewPosted, shop: KnownShop, last: datetime) -> Rating:
    data = event.data
    time = admit_instant(event.time, last)
    completed_at = None
    if data.completed_at is not None:
        completed_at = admit_instant(data.completed_at, last, "/data/completed_at")
    return Rating(
        shop_key=shop.shop_key,
        revision=0,
        time=time,
        day=day_of(time, shop.time_zone),
        review_id=data.review_id,
        buyer_id=data.buyer_id,
        month=month_of(completed_at or time, shop.time_zone),
        completed_at=completed_at,
        description=data.scores.description,
        service=data.scores.service,
        logistics=data.scores.logistics,
        order_id=data.order_id,
        listing_id=data.listing_id,
        comment=data.comment,
    )


def is_late(rating: Rating, rules: Rules) -> bool:
    """Return whether a rating was given after its deadline."""
    return (
        rules.rating_deadline_days is not None
        and rating.completed_at is not None
        and rating.time - rating.completed_at > _days(rules.rating_deadline_days)
    )


def is_removed(moderations: Iterable[Moderation]) -> bool:
    """Return whether a review is removed: by the last action, at one instant by removal."""
    last = max(moderations, key=lambda m: (m.time, m.removes), default=None)
    return last is not None and last.removes


def rating_states(ratings: Sequence[tuple[Rating, bool]], rules: Rules) -> dict[str, RatingState]:
    """Return the states of all ratings of one shop, buyer and month, by review id.

    The month is that of completion. Ratings are in any order, each with whether it is removed.
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


def add_ratings(
    days: Mapping[date, list[int]], ratings: Sequence[tuple[Rating, bool]], rules: Rules
) -> dict[str, RatingState]:
    """Add all ratings of one shop, buyer and month to their days.

    Return the states, as `rating_states` does.
    """
    states = rating_states(ratings, rules)
    for rating, _ in ratings:
        totals.add_rating(days[rating.day], rating.scores, states[rating.review_id])
    return states


@cache
def _days(days: int) -> timedelta:
    return timedelta(days=days)


def _cap_order(rating: Rating) -> tuple[datetime, datetime, str]:
    # Review ids are ASCII, so comparing them as text compares their bytes.
    return rating.completed_at or rating.time, rating.time, rating.review_id


class Ratings:
    """The ratings of one buyer and month, which share a cap, with their moderations.

    The state of a rating decides what it adds to its shop. States are stored, so that the ratings
    before a batch need not be projected again.
    """

    kinds: tuple[FactKind, ...] = (
        FactKind(
            Rating,
            "ratings",
            identity=("review_id",),
            events={ReviewPosted: {}},
            admit=_admit_rating,
        ),
        FactKind(
            Moderation,
            "moderations",
            identity=("review_id", "removes", "time"),
            events={ReviewRemoved: {"removes": True}, ReviewRestored: {"removes": False}},
        ),
    )

    def affect(self, facts: FactsByKind, affected: AffectedKeys) -> None:
        """Add the reviews of these facts, and the buyers and months of their ratings."""
        for rating in facts.of(Rating):
            affected.rated.add((rating.shop_key, rating.review_id))
            affected.buyer_months.add((rating.shop_key, rating.month, rating.buyer_id))
        for moderation in facts.of(Moderation):
            affected.moderated.add((moderation.shop_key, moderation.review_id))

    def record(self, batch: Batch) -> None:
        """Add the change of each rating whose state changes."""
        stored = batch.stored.states
        moderations: defaultdict[ReviewKey, list[Moderation]] = defaultdict(list)
        for moderation in batch.after(Moderation):
            moderations[moderation.shop_key, moderation.review_id].append(moderation)

        for (shop_key, _, _), cohort in _changed_cohorts(batch).items():
            members = []
            for rating in cohort:
                key = shop_key, rating.review_id
                if key in moderations:
                    removed = is_removed(moderations[key])
                else:
                    removed = stored.get(key) is REMOVED
                members.append((rating, removed))
            states = rating_states(members, batch.shops[shop_key].rules)
            days = batch.moved[shop_key].days
            for rating in cohort:
                key = shop_key, rating.review_id
                before, after = stored.get(key), states[rating.review_id]
                if before is after:
                    continue
                batch.states[key] = after
                day = days[rating.day]
                if before is not None:
                    totals.add_rating(day, rating.scores, before, -1)
                totals.add_rating(day, rating.scores, after)


def _changed_cohorts(batch: Batch) -> Mapping[BuyerMonth, list[Rating]]:
    """Return all ratings of each buyer and month whose states may change."""
    by_month: defaultdict[BuyerMonth, list[Rating]] = defaultdict(list)
    for rating in batch.before(Rating):
        by_month[rating.shop_key, rating.month, rating.buyer_id].append(rating)
    changed: dict[BuyerMonth, list[Rating]] = {}
    for rating in batch.entering.of(Rating):
        buyer_month = rating.shop_key, rating.month, rating.buyer_id
        changed[buyer_month] = cohort = by_month[buyer_month]
        cohort.append(rating)
    for moderation in batch.entering.of(Moderation):
        identity = Rating, moderation.shop_key, moderation.review_id
        moderated = batch.changes.get(identity) or batch.stored.facts.get(identity)
        if isinstance(moderated, Rating):
            buyer_month = moderated.shop_key, moderated.month, moderated.buyer_id
            changed[buyer_month] = by_month[buyer_month]
    return changed


RATINGS = Ratings()
