"""Replay: day totals from the ratings themselves."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from domain.counters import FIELDS
from domain.facts.ratings import Rating, add_ratings, is_late
from domain.rules import Rules
from domain.totals import add, zero_totals
from tests.domain.builders import finish, noon, rating, rules, totals


def day_totals(ratings: Iterable[tuple[Rating, bool]], scoring: Rules) -> dict[date, list[int]]:
    """Return the day totals of a shop's ratings, each with whether it is removed."""
    cohorts: defaultdict[tuple[str | None, date], list[tuple[Rating, bool]]] = defaultdict(list)
    for rated, removed in ratings:
        cohorts[rated.buyer_id, rated.month].append((rated, removed))
    days: defaultdict[date, list[int]] = defaultdict(zero_totals)
    for cohort in cohorts.values():
        finish(add_ratings(days, cohort, scoring))
    return dict(days)


def test_no_ratings_make_no_days() -> None:
    """Days on which no rating was given are absent."""
    assert day_totals([], rules()) == {}


def test_each_rating_adds_to_the_day_it_was_given() -> None:
    """Counted ratings add stars, others a count of their state."""
    ratings = [
        (rating("r-1", time=noon(1), description=5, service=4, logistics=1), False),
        (rating("r-2", time=noon(1), description=5), False),
        (rating("r-3", time=noon(2), description=None, logistics=3), True),
        (rating("r-4", time=noon(30), completed_at=noon(0)), False),
    ]
    assert day_totals(ratings, rules()) == {
        noon(1).date(): totals(description_5=2, service_4=1, logistics_1=1),
        noon(2).date(): totals(removed=1),
        noon(30).date(): totals(late=1),
    }


def test_the_cap_holds_for_each_buyer_and_month_of_completion() -> None:
    """Other buyers and other months of completion have a cap of their own."""
    ratings = [
        rating("r-1", time=noon(1)),
        rating("r-2", time=noon(2)),
        rating("r-3", time=noon(3), buyer_id="b-2"),
        rating("r-4", time=noon(4), completed_at=noon(-1)),
    ]
    days = day_totals([(given, False) for given in ratings], rules(ratings_per_buyer_month=1))
    assert {given.day: days[given.day] for given in ratings} == {
        noon(1).date(): totals(description_5=1),
        noon(2).date(): totals(capped=1),
        noon(3).date(): totals(description_5=1),
        noon(4).date(): totals(description_5=1),
    }


_ratings = st.lists(
    st.tuples(
        st.sampled_from(["b-1", "b-2"]),
        st.integers(0, 40),
        st.integers(0, 40),
        st.integers(1, 5),
        st.booleans(),
    ),
    max_size=15,
).map(
    lambda drawn: [
        (
            rating(
                f"r-{n}",
                buyer_id=buyer,
                time=noon(given),
                completed_at=noon(completed),
                service=stars,
            ),
            removed,
        )
        for n, (buyer, given, completed, stars, removed) in enumerate(drawn)
    ]
)


@given(_ratings, st.data())
def test_every_rating_is_counted_once(
    ratings: list[tuple[Rating, bool]], data: st.DataObject
) -> None:
    """Counted, late, capped and removed ratings add up to all, in any order."""
    days = day_totals(data.draw(st.permutations(ratings)), rules(ratings_per_buyer_month=2))
    assert days == day_totals(ratings, rules(ratings_per_buyer_month=2))
    sums = zero_totals()
    for day in days.values():
        add(sums, day)
    by_name = dict(zip(FIELDS, sums, strict=True))
    counted = sum(by_name[f"service_{k}"] for k in range(1, 6))
    assert counted == by_name["description_5"]
    assert counted + sum(by_name[name] for name in ("late", "capped", "removed")) == len(ratings)
    assert by_name["removed"] == sum(removed for _, removed in ratings)
    assert by_name["late"] == sum(
        not removed and is_late(given, rules()) for given, removed in ratings
    )


@given(_ratings)
def test_without_any_rule_every_rating_that_is_not_removed_counts(
    ratings: list[tuple[Rating, bool]],
) -> None:
    """No deadline and no cap leave only removals out."""
    lenient = rules(ratings_per_buyer_month=None, rating_deadline_days=None)
    expected: dict[date, list[int]] = {}
    for rated, removed in ratings:
        stars = {f"service_{rated.service}": 1, "description_5": 1}
        add(
            expected.setdefault(rated.day, zero_totals()),
            totals(removed=1) if removed else totals(**stars),
        )
    assert day_totals(ratings, lenient) == expected
