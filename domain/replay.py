"""Replay: day totals from the ratings themselves, under any rules.

Under a shop's own rules they equal the stored totals, which is how the service audits itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from domain.facts import Rating
from domain.ratings import settle
from domain.rules import Rules
from domain.totals import add_rating, nothing


def day_totals(ratings: Iterable[tuple[Rating, bool]], rules: Rules) -> dict[date, list[int]]:
    """What the ratings of one shop add to each day; the value beside one says if it is removed.

    All ratings of a buyer's month must be there, for the cap; days without any are absent.
    """
    cohorts: defaultdict[tuple[str, date], list[tuple[Rating, bool]]] = defaultdict(list)
    for rating, removed in ratings:
        cohorts[rating.buyer_id, rating.month].append((rating, removed))
    days: defaultdict[date, list[int]] = defaultdict(nothing)
    for cohort in cohorts.values():
        states = settle(cohort, rules)
        for rating, _ in cohort:
            add_rating(days[rating.day], rating.scores, states[rating.review_id])
    return dict(days)
