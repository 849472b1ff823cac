"""Ratings of a shop, each with its state and why."""

from datetime import UTC, date, datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.conditional import computed
from api.context import Call
from api.operations import Answer, Beside, Operation, operation
from api.pages import Paged, next_cursor, resume
from api.problems import bad_parameter
from api.reading import Heading, day_asked, find_shop, headed, today
from api.wire import query
from domain.days import FIRST_INSTANT
from domain.events import Instant, Reason
from domain.names import Id
from domain.ports import ReviewsAsked, StoredRating
from domain.totals import RatingState

StateName = Literal["counted", "late", "capped", "removed"]


class ReviewsQuery(Paged, frozen=True, kw_only=True):
    """Which ratings: in a state, given on which days."""

    state: StateName | UnsetType = UNSET
    start: date | UnsetType = UNSET
    end: date | UnsetType = UNSET


class ReviewScores(msgspec.Struct, frozen=True):
    """Stars by dimension; null where the buyer gave none."""

    description: int | None
    service: int | None
    logistics: int | None


class Removal(msgspec.Struct, frozen=True):
    """Why the marketplace took a rating out, and when."""

    reason: Reason | None
    at: Instant


class Review(msgspec.Struct, frozen=True):
    """A rating as it was given, and whether it counts."""

    review_id: str
    order_id: str
    buyer_id: str
    listing_id: str | None
    scores: ReviewScores
    time: Instant
    completed_at: Instant | None
    comment: str | None
    state: StateName
    removal: Removal | None


class ReviewsPage(msgspec.Struct, frozen=True):
    """One page of ratings, newest first."""

    items: list[Review]
    next_cursor: str | None


@operation(
    "GET",
    "/v1/shops/{shop_id:str}/reviews",
    Operation(
        name="listReviews",
        summary="Ratings of a shop by state",
        scope="scores:read",
        query=ReviewsQuery,
        answers={200: Beside(Heading, ReviewsPage)},
        problems=("not_found",),
    ),
)
async def list_reviews(request: Call, shop_id: str) -> Answer:
    """Ratings by the day they were given, each with the first reason why it does not count."""
    asked, after = resume(query(request, ReviewsQuery), tuple[Instant, Id])
    if after is not None and not FIRST_INSTANT <= after[0] <= _LAST_INSTANT:
        raise bad_parameter("cursor", "Expected a cursor that this list gave")
    kept = await find_shop(request, shop_id)
    as_of = today(request, kept.shop)
    start = (
        date.min if asked.start is UNSET else day_asked(request, kept.shop, asked.start, "start")
    )
    end = date.max if asked.end is UNSET else day_asked(request, kept.shop, asked.end, "end")
    if start > end:
        raise bad_parameter("end", "Expected a day not before `start`")
    state = None if asked.state is UNSET else RatingState[asked.state.upper()]
    found = await request.context.reviews.page(
        kept.key, ReviewsAsked(state, start, end), after, asked.limit + 1
    )
    items = found[: asked.limit]
    last = items[-1].rating if len(found) > len(items) else None
    page = ReviewsPage(
        [_review(rating) for rating in items],
        next_cursor(asked, (last.time, last.review_id)) if last else None,
    )
    return computed(request, headed(kept, as_of, page))


def _review(kept: StoredRating) -> Review:
    rating = kept.rating
    return Review(
        review_id=rating.review_id,
        order_id=rating.order_id,
        buyer_id=rating.buyer_id,
        listing_id=rating.listing_id,
        scores=ReviewScores(*rating.scores),
        time=rating.time,
        completed_at=rating.completed_at,
        comment=rating.comment,
        state=_STATES[kept.state],
        removal=Removal(kept.reason, kept.removed_at) if kept.removed_at else None,
    )


_LAST_INSTANT = datetime(9999, 12, 31, tzinfo=UTC)

_STATES: dict[RatingState, StateName] = {
    RatingState.COUNTED: "counted",
    RatingState.LATE: "late",
    RatingState.CAPPED: "capped",
    RatingState.REMOVED: "removed",
}
