"""Which ratings count: removed, late, over the buyer's cap, or counted."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache

from domain.facts import Moderation, Rating
from domain.rules import Rules
from domain.totals import RatingState

COUNTED, LATE, CAPPED, REMOVED = RatingState


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


def settle(ratings: Sequence[tuple[Rating, bool]], rules: Rules) -> dict[str, RatingState]:
    """States, by review id, of all ratings of one shop, buyer and month of completion.

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
