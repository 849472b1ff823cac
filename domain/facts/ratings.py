"""Ratings: their events, their facts, and which of them count."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import chain
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from domain import totals
from domain.counters import DIMENSIONS
from domain.days import day_of, month_of
from domain.events import Envelope, EventData, Instant
from domain.facts.aggregate import AffectedKeys, Batch, BuyerMonth, FactsByKind, ReviewKey
from domain.facts.fact import Fact, FactKind, KnownShop, admit_instant
from domain.names import Comment, Id, Note
from domain.rules import Rules
from domain.steps import ITEMS_A_STEP, Steps
from domain.totals import RatingState

_SORTED_AT_ONCE = 1_000

COUNTED, LATE, CAPPED, REMOVED = RatingState

Stars = Annotated[int, Meta(ge=1, le=5)]
Reason = Literal["malicious", "violating_trade", "force_majeure", "other"]


class Scores(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Stars of one rating; at least one dimension."""

    description: Stars | None = None
    service: Stars | None = None
    logistics: Stars | None = None

    def __post_init__(self) -> None:
        if self.description is None and self.service is None and self.logistics is None:
            raise ValueError("Expected at least one of `description`, `service`, `logistics`")


class PostedReview(EventData, frozen=True, gc=False):
    """A buyer's rating of one order; without a buyer it is never over a cap."""

    review_id: Id
    scores: Scores
    order_id: Id | None = None
    buyer_id: Id | None = None
    listing_id: Id | None = None
    completed_at: Instant | None = None
    comment: Comment | None = None


class ModeratedReview(EventData, frozen=True, gc=False):
    """The marketplace removes a rating, or restores it."""

    review_id: Id
    reason: Reason | None = None
    note: Note | None = None


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
    buyer_id: str | None
    month: date
    completed_at: datetime | None
    description: int | None
    service: int | None
    logistics: int | None
    order_id: str | None
    listing_id: str | None
    comment: str | None
    erased: bool = False

    @property
    def buyer_month(self) -> BuyerMonth:
        """Return the key of the ratings that share a cap with this one."""
        return self.shop_key, self.month, self.buyer_id

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
    erased: bool = False


def _admit_rating(event: ReviewPosted, shop: KnownShop, last: datetime) -> Rating:
    data = event.data
    time = admit_instant(event.time, last)
    completed_at = None
    if data.completed_at is not None:
        completed_at = admit_instant(data.completed_at, last, "/data/completed_at")
    return Rating(
        shop_key=shop.shop_key,
        revision=data.revision or 0,
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


def rating_states(
    ratings: Sequence[tuple[Rating, bool]], rules: Rules, unread: int = 0
) -> Steps[dict[str, RatingState]]:
    """Compute the states of ratings of one shop, buyer and month, by review id.

    The month is that of completion. Without a buyer there is no cap. Ratings are in any order, each
    with whether it is removed: all of them, or those that may move across the cap, and `unread`
    others are counted.
    """
    states: dict[str, RatingState] = {}
    for number, (rating, removed) in enumerate(ratings, 1):
        late = is_late(rating, rules)
        states[rating.review_id] = REMOVED if removed else LATE if late else COUNTED
        if number % ITEMS_A_STEP == 0:
            yield
    cap = rules.ratings_per_buyer_month
    has_buyer = bool(ratings) and ratings[0][0].buyer_id is not None
    if has_buyer and cap is not None and len(states) + unread > cap:
        candidates = [rating for rating, _ in ratings if states[rating.review_id] is COUNTED]
        counted: list[Rating] = []
        for start in range(0, len(candidates), _SORTED_AT_ONCE):
            some = sorted([*counted, *candidates[start : start + _SORTED_AT_ONCE]], key=_cap_order)
            counted = some[: cap - unread]
            for rating in some[cap - unread :]:
                states[rating.review_id] = CAPPED
            yield
    return states


def add_ratings(
    days: Mapping[date, list[int]], ratings: Sequence[tuple[Rating, bool]], rules: Rules
) -> Steps[dict[str, RatingState]]:
    """Add all ratings of one shop, buyer and month to their days.

    The result are the states, as of `rating_states`.
    """
    states = yield from rating_states(ratings, rules)
    for number, (rating, _) in enumerate(ratings):
        if number % ITEMS_A_STEP == 0:
            yield
        totals.add_rating(days[rating.day], rating.scores, states[rating.review_id])
    return states


@cache
def _days(days: int) -> timedelta:
    return timedelta(days=days)


def _cap_order(rating: Rating) -> tuple[datetime, datetime, str]:
    # Texts compare by code point, which is the order of their bytes.
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
            members=dict.fromkeys(DIMENSIONS, "scores"),
            erased=("buyer_id", "comment"),
        ),
        FactKind(
            Moderation,
            "moderations",
            identity=("review_id", "removes", "time"),
            events={ReviewRemoved: {"removes": True}, ReviewRestored: {"removes": False}},
            erased=("note",),
            erased_with={Rating: "review_id"},
        ),
    )

    def affect(self, facts: FactsByKind, affected: AffectedKeys) -> Steps[None]:
        """Add the reviews of these facts, and the buyers and months of their ratings."""
        for number, rating in enumerate(facts.of(Rating)):
            if number % ITEMS_A_STEP == 0:
                yield
            review_id = rating.review_id
            if rating.buyer_id is not None:
                affected.rated.add((rating.shop_key, rating.month, rating.buyer_id, review_id))
            if rating.buyer_id is None or rating.revision:
                affected.named.add((rating.shop_key, review_id))
        affected.named.update(identity[1:] for identity in facts.retracted(Rating))
        moderated = map(self.kinds[1].identity_of, facts.of(Moderation))
        for _, *identity in chain(moderated, facts.retracted(Moderation)):
            yield
            shop_key, review_id, *_ = identity
            affected.named.add((shop_key, review_id))
            affected.moderated[shop_key, review_id] += 1
            affected.moderations.add(tuple(identity))

    def record(self, batch: Batch) -> Steps[None]:
        """Add the ratings that enter a state in a buyer's month; subtract those that leave."""
        moderations: defaultdict[ReviewKey, list[Moderation]] = defaultdict(list)
        for moderation in batch.leaving.of(Moderation):
            moderations[moderation.shop_key, moderation.review_id] = []
        for moderation in batch.after(Moderation):
            yield
            moderations[moderation.shop_key, moderation.review_id].append(moderation)
        before = _by_buyer_month(batch.before(Rating))
        yield
        after = _by_buyer_month(batch.after(Rating))
        yield
        for buyer_month in _changed_buyer_months(batch):
            shop_key = buyer_month[0]
            members = []
            for number, rating in enumerate(after[buyer_month]):
                if number % ITEMS_A_STEP == 0:
                    yield
                key = shop_key, rating.review_id
                if key in moderations:
                    removed = is_removed(moderations[key])
                else:
                    removed = batch.stored.states.get(key) is REMOVED
                members.append((rating, removed))
            unread = batch.stored.unread.get(buyer_month, 0)
            states = yield from rating_states(members, batch.shops[shop_key].rules, unread)
            stored = {
                (rating, batch.stored.states[shop_key, rating.review_id])
                for rating in before[buyer_month]
            }
            new = {(rating, states[rating.review_id]) for rating in after[buyer_month]}
            for sign, changed in ((-1, stored - new), (1, new - stored)):
                yield from _add_changed(batch, shop_key, changed, sign)


def _add_changed(
    batch: Batch, shop_key: int, changed: Iterable[tuple[Rating, RatingState]], sign: int
) -> Steps[None]:
    """Add ratings in their states to a shop, or subtract them with sign -1."""
    days = batch.moved[shop_key].days
    for number, (rating, state) in enumerate(changed, 1):
        if number % ITEMS_A_STEP == 0:
            yield
        totals.add_rating(days[rating.day], rating.scores, state, sign)
        if sign > 0:
            batch.states[shop_key, rating.review_id] = state


def _by_buyer_month(ratings: Iterable[Rating]) -> defaultdict[BuyerMonth, list[Rating]]:
    groups: defaultdict[BuyerMonth, list[Rating]] = defaultdict(list)
    for rating in ratings:
        groups[rating.buyer_month].append(rating)
    return groups


def _changed_buyer_months(batch: Batch) -> set[BuyerMonth]:
    """Return each buyer and month of which a rating is new or newly moderated."""
    changed = {rating.buyer_month for rating in batch.moving(Rating)}
    for moderation in batch.moving(Moderation):
        identity = Rating, moderation.shop_key, moderation.review_id
        moderated = batch.changes.get(identity) or batch.stored.facts.get(identity)
        if isinstance(moderated, Rating):
            changed.add(moderated.buyer_month)
    return changed


RATINGS = Ratings()
