"""Which ratings count: removed, late, over the buyer's cap, or counted."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

from domain.facts import Moderation, Rating
from domain.rules import Rules
from domain.totals import RatingState


def is_late(rating: Rating, rules: Rules) -> bool:
    """Whether the rating was given after its deadline had passed."""
    return (
        rules.rating_deadline_days is not None
        and rating.completed_at is not None
        and rating.time - rating.completed_at > _days(rules.rating_deadline_days)
    )


def is_removed(moderations: Iterable[Moderation]) -> bool:
    """Whether the last word on a review takes it out; at the same instant removal holds."""
    last = max(moderations, key=lambda m: (m.time, m.removes), default=None)
    return last is not None and last.removes


def settle(ratings: Iterable[tuple[Rating, bool]], rules: Rules) -> dict[str, RatingState]:
    """States, by review id, of all ratings of one shop, buyer and month of completion.

    The value beside each rating says whether it is removed. Order does not matter.
    """
    states: dict[str, RatingState] = {}
    candidates: list[Rating] = []
    for rating, removed in ratings:
        if removed:
            states[rating.review_id] = RatingState.REMOVED
        elif is_late(rating, rules):
            states[rating.review_id] = RatingState.LATE
        else:
            candidates.append(rating)
    cap = rules.ratings_per_buyer_month
    if cap is not None and len(candidates) > cap:
        candidates.sort(key=_cap_order)
    for place, rating in enumerate(candidates):
        within = cap is None or place < cap
        states[rating.review_id] = RatingState.COUNTED if within else RatingState.CAPPED
    return states


@cache
def _days(days: int) -> timedelta:
    return timedelta(days=days)


def _cap_order(rating: Rating) -> tuple[datetime, datetime, str]:
    # Review ids are ASCII, so comparing them as text compares their bytes.
    return rating.completed_at or rating.time, rating.time, rating.review_id
