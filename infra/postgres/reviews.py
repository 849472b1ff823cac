"""Ratings one by one, on Postgres."""

from datetime import UTC, datetime

from domain.facts.ratings import Rating
from domain.ports import ReviewsQuery, ShopKey, StoredRating
from domain.totals import RatingState
from infra.postgres.database import Database

_NEWEST = (datetime(9999, 12, 31, tzinfo=UTC), "")


class Reviews:
    """See `domain.ports.Reviews`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, shop: ShopKey, filters: ReviewsQuery, after: tuple[datetime, str] | None, limit: int
    ) -> list[StoredRating]:
        """Return up to `limit` ratings after the given one, newest first, then by id."""
        rows = await self._database.fetch(
            "reviews_page",
            *shop,
            filters.state,
            filters.start,
            filters.end,
            *(after or _NEWEST),
            limit,
            RatingState.REMOVED,
        )
        ratings = []
        for row in rows:
            *fields, state, removed_at, reason = row
            ratings.append(StoredRating(Rating(*fields), RatingState(state), removed_at, reason))
        return ratings
