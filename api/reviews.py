"""Ratings of a shop, each with its state and why."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from litestar import Router
from litestar.params import QueryParameter

from api.operations import get, operation
from api.pages import cut_page, resume
from api.parameters import LIMIT_DEFAULT, Cursor, Limit, OptionalEnd, OptionalStart, ShopId
from api.problems import bad_parameter
from api.request import ApiRequest
from api.shop_reads import Heading, day_or_today, get_stored_shop, heading, today
from domain.events import Instant
from domain.facts.ratings import Reason
from domain.names import Id
from domain.ports import ReviewsQuery, StoredRating, StoredShop
from domain.totals import RatingState

StateName = Literal["counted", "late", "capped", "removed"]


class ReviewsFilters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of a list of ratings."""

    state: StateName | None = None
    start: date | None = None
    end: date | None = None


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
    """A rating as it was given, and whether it counts.

    The buyer and the comment are null to a key without the scope `buyers:read`.
    """

    review_id: str
    revision: int
    order_id: str | None
    buyer_id: str | None
    listing_id: str | None
    scores: ReviewScores
    time: Instant
    completed_at: Instant | None
    comment: str | None
    state: StateName
    removal: Removal | None


class ReviewsPage(Heading, frozen=True):
    """One page of ratings, newest first."""

    items: list[Review]
    next_cursor: str | None


@get(
    "/shops/{shop_id:str}/reviews",
    summary="Ratings of a shop by state",
    **operation("scores:read", problems=("not_found",)),
)
async def list_reviews(
    request: ApiRequest,
    *,
    shop_id: ShopId,
    in_state: Annotated[
        StateName | None, QueryParameter(name="state", description="Only ratings in this state.")
    ] = None,
    start: OptionalStart = None,
    end: OptionalEnd = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> ReviewsPage:
    """Return ratings by the day they were given, each with its state and why.

    The buyer and the comment need the scope `buyers:read` too, else they are null.
    """
    filters, after = resume(cursor, ReviewsFilters(in_state, start, end), tuple[Instant, Id])
    stored = await get_stored_shop(request, shop_id)
    wanted = ReviewsQuery(
        None if filters.state is None else RatingState[filters.state.upper()],
        _bound(request, stored, filters.start, date.min, "start"),
        _bound(request, stored, filters.end, date.max, "end"),
    )
    if wanted.start > wanted.end:
        raise bad_parameter("end", "Expected a day not before `start`")
    ratings = await request.ports.reviews.page(stored.key, wanted, after, limit + 1)
    items, following = cut_page(
        ratings, limit, filters, lambda item: (item.rating.time, item.rating.review_id)
    )
    shows_buyers = request.auth.has("buyers:read")
    return ReviewsPage(
        **heading(stored, today(request, stored.shop)),
        items=[_review(rating, shows_buyers=shows_buyers) for rating in items],
        next_cursor=following,
    )


def _bound(
    request: ApiRequest, stored: StoredShop, day: date | None, default: date, parameter: str
) -> date:
    return default if day is None else day_or_today(request, stored.shop, day, parameter)


def _review(stored: StoredRating, *, shows_buyers: bool) -> Review:
    rating = stored.rating
    return Review(
        review_id=rating.review_id,
        revision=rating.revision,
        order_id=rating.order_id,
        buyer_id=rating.buyer_id if shows_buyers else None,
        listing_id=rating.listing_id,
        scores=ReviewScores(*rating.scores),
        time=rating.time,
        completed_at=rating.completed_at,
        comment=rating.comment if shows_buyers else None,
        state=_STATES[stored.state],
        removal=Removal(stored.reason, stored.removed_at) if stored.removed_at else None,
    )


_STATES: dict[RatingState, StateName] = {
    RatingState.COUNTED: "counted",
    RatingState.LATE: "late",
    RatingState.CAPPED: "capped",
    RatingState.REMOVED: "removed",
}


router = Router("/", tags=["reviews"], route_handlers=[list_reviews])
