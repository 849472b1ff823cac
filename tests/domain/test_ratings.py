"""States of ratings: the first that applies of removed, late, capped, counted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts.ratings import Rating, is_late, is_removed, rating_states
from domain.rules import Rules
from domain.totals import RatingState
from tests.domain.builders import NOON, finish, moderation, noon, rating, rules

COUNTED, LATE, CAPPED, REMOVED = RatingState


@pytest.mark.parametrize(
    ("completed_at", "days", "expected"),
    [
        (NOON - timedelta(days=15), 15, False),
        (NOON - timedelta(days=15, microseconds=1), 15, True),
        (NOON, 0, False),
        (NOON - timedelta(microseconds=1), 0, True),
        (NOON + timedelta(days=30), 0, False),
        (NOON - timedelta(days=900), None, False),
        (None, 0, False),
    ],
)
def test_the_deadline_itself_is_in_time(
    completed_at: datetime | None, days: int | None, *, expected: bool
) -> None:
    """Ratings are late after the deadline, never without a completion or a rule."""
    on_deadline = rating("r-1", completed_at=completed_at)
    assert is_late(on_deadline, rules(rating_deadline_days=days)) is expected


@pytest.mark.parametrize(
    ("moderations", "expected"),
    [
        ([], False),
        ([(0, True)], True),
        ([(0, False)], False),
        ([(0, True), (1, False)], False),
        ([(0, True), (1, False), (2, True)], True),
        ([(1, True), (1, False)], True),
        ([(0, True), (1, True), (1, False), (2, False)], False),
    ],
)
def test_the_last_moderation_of_a_review_holds(
    moderations: list[tuple[int, bool]], *, expected: bool
) -> None:
    """The later moderation holds in any order of arrival; at one instant the removal."""
    for arrival in permutations([moderation(hours, removes=r) for hours, r in moderations]):
        assert is_removed(arrival) is expected


def test_a_cap_takes_the_first_completed() -> None:
    """The rating that was completed last is over the cap, even if given first."""
    ratings = [
        rating("r-a", time=noon(9), completed_at=noon(1)),
        rating("r-b", time=noon(8), completed_at=noon(2)),
        rating("r-c", time=noon(7), completed_at=noon(3)),
        rating("r-d", time=noon(6), completed_at=noon(4)),
    ]
    assert finish(rating_states([(given, False) for given in ratings], rules())) == {
        "r-a": COUNTED,
        "r-b": COUNTED,
        "r-c": COUNTED,
        "r-d": CAPPED,
    }


def test_ties_under_a_cap_go_by_time_and_then_by_id() -> None:
    """Completion decides, then the time given, then the bytes of the id."""
    same = {"completed_at": noon(1)}
    ratings = [
        rating("a", time=noon(2), **same),
        rating("Z", time=noon(2), **same),
        rating("z", time=noon(1), **same),
    ]
    states = finish(
        rating_states([(given, False) for given in ratings], rules(ratings_per_buyer_month=2))
    )
    assert states == {"z": COUNTED, "Z": COUNTED, "a": CAPPED}


def test_a_missing_completion_is_ordered_by_its_time() -> None:
    """The time given replaces an absent completion."""
    ratings = [rating("r-a", time=noon(3), completed_at=None), rating("r-b", time=noon(2))]
    states = finish(
        rating_states([(given, False) for given in ratings], rules(ratings_per_buyer_month=1))
    )
    assert states == {"r-a": CAPPED, "r-b": COUNTED}


def test_a_removal_brings_a_capped_rating_back() -> None:
    """Removed and late ratings do not count towards the cap."""
    capped = rating("r-d", completed_at=noon(4), time=noon(5))
    others = [rating(f"r-{name}", completed_at=noon(1), time=noon(5)) for name in "abc"]
    late = rating("r-0", completed_at=noon(0), time=noon(20))
    cohort = [(given, False) for given in (*others, capped, late)]
    assert finish(rating_states(cohort, rules()))["r-d"] is CAPPED
    states = finish(rating_states([(given, given is others[0]) for given, _ in cohort], rules()))
    assert (states["r-a"], states["r-d"], states["r-0"]) == (REMOVED, COUNTED, LATE)
    assert finish(rating_states([(late, True)], rules())) == {"r-0": REMOVED}


def test_without_a_cap_every_rating_counts() -> None:
    """A cap of null is no cap."""
    cohort = [(rating(f"r-{n}"), False) for n in range(20)]
    states = finish(rating_states(cohort, rules(ratings_per_buyer_month=None)))
    assert set(states.values()) == {COUNTED}


_cohorts = st.lists(
    st.tuples(st.integers(0, 20), st.none() | st.integers(0, 20), st.booleans()),
    max_size=12,
).map(
    lambda drawn: [
        (
            rating(
                f"r-{n}",
                time=noon(given),
                completed_at=None if completed is None else noon(completed),
            ),
            removed,
        )
        for n, (given, completed, removed) in enumerate(drawn)
    ]
)
_rules = st.builds(
    rules,
    ratings_per_buyer_month=st.none() | st.integers(1, 4),
    rating_deadline_days=st.none() | st.integers(0, 10),
)


@given(_cohorts, _rules, st.data())
def test_arrival_order_never_matters(
    cohort: list[tuple[Rating, bool]], scoring: Rules, data: st.DataObject
) -> None:
    """The same ratings in any order have the same states."""
    arrived = data.draw(st.permutations(cohort))
    assert finish(rating_states(arrived, scoring)) == finish(rating_states(cohort, scoring))


@given(_cohorts, _rules)
def test_a_rating_is_capped_by_those_before_it(
    cohort: list[tuple[Rating, bool]], scoring: Rules
) -> None:
    """A rating is capped where `ratings_per_buyer_month` countable ratings come before."""
    states = finish(rating_states(cohort, scoring))
    assert set(states) == {candidate.review_id for candidate, _ in cohort}
    countable = [
        candidate
        for candidate, removed in cohort
        if not removed and not is_late(candidate, scoring)
    ]
    for candidate, removed in cohort:
        expected = COUNTED
        if removed:
            expected = REMOVED
        elif is_late(candidate, scoring):
            expected = LATE
        elif (
            scoring.ratings_per_buyer_month is not None
            and _before(candidate, countable) >= scoring.ratings_per_buyer_month
        ):
            expected = CAPPED
        assert states[candidate.review_id] is expected


def _before(candidate: Rating, others: Sequence[Rating]) -> int:
    def key(rated: Rating) -> tuple[datetime, datetime, bytes]:
        return rated.completed_at or rated.time, rated.time, rated.review_id.encode()

    return sum(key(other) < key(candidate) for other in others)
