"""Decide which ratings count, and add them up in a window."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from tests.reference.arithmetic import (
    SCORE_DIGITS,
    Window,
    day_of,
    instant_text,
    rounded,
    score_or_null,
    square_root,
    window_ending,
)
from tests.reference.facts import DIMENSIONS, Review, ReviewAction, ShopFacts
from tests.reference.rules import Json, Rules

_NORMAL_QUANTILE = Fraction("1.959964")


@dataclass(frozen=True)
class Rating:
    """A review with its day, its state and the removal that holds, if one does."""

    review: Review
    day: date
    state: str
    removal: ReviewAction | None

    def stars(self, dimension: str) -> int | None:
        """Return the buyer's stars, or None where the dimension was left out."""
        return self.review.scores[DIMENSIONS.index(dimension)]

    def shown(self) -> Json:
        """Return the rating as an item of `/reviews`."""
        review, removal = self.review, self.removal
        completed = review.completed_at
        return {
            "review_id": review.review_id,
            "revision": review.revision,
            "order_id": review.order_id,
            "buyer_id": review.buyer_id,
            "listing_id": review.listing_id,
            "time": instant_text(review.time),
            "scores": dict(zip(DIMENSIONS, review.scores, strict=True)),
            "completed_at": None if completed is None else instant_text(completed),
            "comment": review.comment,
            "state": self.state,
            "removal": None
            if removal is None
            else {"reason": removal.reason, "at": instant_text(removal.time)},
        }


def judge(facts: ShopFacts, rules: Rules, zone: ZoneInfo) -> list[Rating]:
    """Return every rating with its state, computed from the facts alone."""
    removals = {review.review_id: _removal(review, facts.actions) for review in facts.reviews}
    groups = {review.review_id: _cap_group(review, zone) for review in facts.reviews}

    def state(review: Review) -> str:
        if removals[review.review_id] is not None:
            return "removed"
        if _is_late(review, rules):
            return "late"
        if rules.ratings_per_buyer_month is None or review.buyer_id is None:
            return "counted"
        rivals = [
            other
            for other in facts.reviews
            if groups[other.review_id] == groups[review.review_id]
            and removals[other.review_id] is None
            and not _is_late(other, rules)
        ]
        place = sorted(rivals, key=_cap_order).index(review)
        return "counted" if place < rules.ratings_per_buyer_month else "capped"

    return [
        Rating(review, day_of(review.time, zone), state(review), removals[review.review_id])
        for review in facts.reviews
    ]


def _removal(review: Review, actions: Iterable[ReviewAction]) -> ReviewAction | None:
    """Return the removal in force: a later action wins, of a tie the removal."""
    mine = [action for action in actions if action.review_id == review.review_id]
    last = max(mine, key=lambda action: (action.time, action.removes), default=None)
    return last if last is not None and last.removes else None


def _is_late(review: Review, rules: Rules) -> bool:
    if rules.rating_deadline_days is None:
        return False
    allowed = timedelta(hours=24 * rules.rating_deadline_days)
    return review.time - review.completion > allowed


def _cap_group(review: Review, zone: ZoneInfo) -> tuple[str | None, int, int]:
    completed = day_of(review.completion, zone)
    return review.buyer_id, completed.year, completed.month


def _cap_order(review: Review) -> tuple[datetime, datetime, bytes]:
    return review.completion, review.time, review.review_id.encode()


@dataclass(frozen=True)
class Tally:
    """How many ratings of 1, 2, 3, 4 and 5 stars; parts of a rating occur in forecasts."""

    histogram: tuple[Fraction, ...]

    @property
    def count(self) -> Fraction:
        """Return the number of ratings."""
        return sum(self.histogram, Fraction(0))

    @property
    def sum(self) -> Fraction:
        """Return the sum of the stars."""
        return sum((stars * n for stars, n in enumerate(self.histogram, 1)), Fraction(0))

    @property
    def mean(self) -> Fraction | None:
        """Return the exact mean, whatever `min_ratings`."""
        return self.sum / self.count if self.count else None

    def plus(self, other: "Tally", times: Fraction = Fraction(1)) -> "Tally":
        """Return the sum with `times` another tally."""
        pairs = zip(self.histogram, other.histogram, strict=True)
        return Tally(tuple(mine + times * theirs for mine, theirs in pairs))

    def status(self, rules: Rules) -> str:
        """Return `none`, `insufficient` or `ok`."""
        if not self.count:
            return "none"
        return "insufficient" if self.count < rules.min_ratings else "ok"

    def score(self, rules: Rules) -> Fraction | None:
        """Return the exact score, None unless the status is `ok`."""
        return self.mean if self.status(rules) == "ok" else None

    def interval(self) -> Json | None:
        """Return the 95 % credible interval under half a rating of prior per star."""
        if not self.count:
            return None
        weights = [n + Fraction(1, 2) for n in self.histogram]
        total = sum(weights, Fraction(0))
        mean = sum((k * a for k, a in enumerate(weights, 1)), Fraction(0)) / total
        square = sum((k * k * a for k, a in enumerate(weights, 1)), Fraction(0)) / total
        reach = _NORMAL_QUANTILE * square_root((square - mean**2) / (total + 1))
        low, high = max(mean - reach, Fraction(1)), min(mean + reach, Fraction(5))
        return {"low": rounded(low, SCORE_DIGITS), "high": rounded(high, SCORE_DIGITS)}

    def block(self, rules: Rules) -> Json:
        """Return the dimension in the form of a scorecard."""
        return {
            "status": self.status(rules),
            "score": score_or_null(self.score(rules)),
            "count": int(self.count),
            "sum": int(self.sum),
            "histogram": [int(n) for n in self.histogram],
        }


def tally(ratings: Iterable[Rating], dimension: str, window: Window) -> Tally:
    """Count the counted ratings of a window."""
    stars = [
        rating.stars(dimension)
        for rating in ratings
        if rating.state == "counted" and rating.day in window
    ]
    return Tally(tuple(Fraction(stars.count(k)) for k in range(1, 6)))


def rating_window(as_of: date, rules: Rules) -> Window:
    """Return the window of the score as of a day."""
    return window_ending(as_of, rules.rating_window_days)


def score_as_of(
    ratings: Iterable[Rating], dimension: str, as_of: date, rules: Rules
) -> Fraction | None:
    """Return the exact score of a day, or None unless it is `ok`."""
    return tally(ratings, dimension, rating_window(as_of, rules)).score(rules)


def uncounted(ratings: Sequence[Rating], window: Window) -> Json:
    """How many ratings of the window each reason keeps out."""
    states = [rating.state for rating in ratings if rating.day in window]
    return {state: states.count(state) for state in ("late", "capped", "removed")}
