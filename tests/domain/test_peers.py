"""Peers: exact statistics of a group, and a shop beside them."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from domain import figures
from domain.peers import (
    Group,
    Peers,
    PeerShop,
    PeerStanding,
    Tally,
    compare,
    percentile,
    scored,
    snapshot,
)
from domain.totals import DIMENSIONS, Dimension
from tests.domain.builders import day, rules


def shop(
    shop_key: int, count: int = 0, stars: int = 0, *, category: str = "baby", sold: int = 0
) -> PeerShop:
    """A shop with a score in service, or without any."""
    found: dict[Dimension, Tally] = {"service": Tally(count, stars)} if count else {}
    return PeerShop(shop_key, "taobao", category, "CNY", sold, found)


GROUP = Group(shops=5, mean=Fraction(47, 10), min=Fraction(4), max=Fraction(5))


def standing(group: Group = GROUP, at: float | None = 75.0) -> PeerStanding:
    """A snapshot of day 3 in which the shop has a percentile."""
    return PeerStanding(
        as_of=day(3),
        groups={"service": group},
        percentiles={} if at is None else {"service": at},
    )


def compared(score: Fraction | None, to: PeerStanding, min_shops: int = 5) -> Peers:
    """A score in service beside its peers."""
    return compare(score, to, "service", rules(peer_min_shops=min_shops))


@pytest.mark.parametrize(
    ("score", "relation", "percent", "flag"),
    [
        (Fraction(485, 100), "above", 50.0, "red"),
        (Fraction(5), "above", 100.0, "red"),
        (Fraction(435, 100), "below", 50.0, "green"),
        (Fraction(4), "below", 100.0, "green"),
        (Fraction(3), "below", 100.0, "green"),
        (Fraction(48, 10), "above", 33.33, "red"),
        (Fraction(47, 10), "level", None, "none"),
        (Fraction(4_700_004, 1_000_000), "level", None, "none"),
        (Fraction(4_699_996, 1_000_000), "level", None, "none"),
        (Fraction(4_700_005, 1_000_000), "above", 0.0, "red"),
        (Fraction(4_699_994, 1_000_000), "below", 0.0, "green"),
    ],
)
def test_percent_is_the_way_from_the_mean_to_the_furthest(
    score: Fraction, relation: str, percent: float | None, flag: str
) -> None:
    """Above: of the way to the best; below: to the worst; at most all; level at 5 decimals."""
    assert compared(score, standing()) == Peers(
        status="ok",
        as_of=day(3),
        shops=5,
        mean=4.7,
        min=4.0,
        max=5.0,
        percentile=75.0,
        relation=relation,  # type: ignore[arg-type]
        percent=percent,
        flag=flag,  # type: ignore[arg-type]
    )


def test_there_is_no_percent_of_no_way() -> None:
    """Where all peers are alike nobody is so and so far between mean and best or worst."""
    alike = standing(Group(5, Fraction(4), Fraction(4), Fraction(4)))
    above, below = compared(Fraction(5), alike), compared(Fraction(3), alike)
    assert (above.relation, above.percent, above.flag) == ("above", None, "red")
    assert (below.relation, below.percent, below.flag) == ("below", None, "green")


def test_a_shop_outside_the_snapshot_has_no_percentile() -> None:
    """It is compared all the same."""
    found = compared(Fraction(5), standing(at=None))
    assert (found.status, found.percentile, found.percent) == ("ok", None, 100.0)


@pytest.mark.parametrize(
    ("score", "to", "min_shops", "status", "as_of"),
    [
        (None, standing(), 5, "no_score", day(3)),
        (None, PeerStanding(), 5, "no_score", None),
        (None, PeerStanding(as_of=day(3)), 5, "no_score", day(3)),
        (Fraction(5), PeerStanding(), 5, "no_snapshot", None),
        (Fraction(5), standing(), 6, "too_few_peers", day(3)),
        (Fraction(5), PeerStanding(as_of=day(3)), 2, "too_few_peers", day(3)),
    ],
)
def test_the_first_reason_that_applies_is_told(
    score: Fraction | None, to: PeerStanding, min_shops: int, status: str, as_of: date | None
) -> None:
    """No score, no snapshot, too few peers; all else is null but the snapshot's day."""
    told = astuple(compared(score, to, min_shops))
    assert told[:2] == (status, as_of)
    assert set(told[2:]) == {None}


@pytest.mark.parametrize(
    ("below", "shops", "expected"),
    [(0, 5, 0.0), (4, 5, 100.0), (1, 4, 33.33), (2, 4, 66.67), (0, 1, None)],
)
def test_a_percentile_is_of_the_other_shops(below: int, shops: int, expected: float | None) -> None:
    """Those strictly below over all others; alone there is none."""
    assert percentile(below, shops) == expected


def test_a_shop_is_a_peer_where_it_has_a_score() -> None:
    """Under its own `min_ratings`, dimension by dimension."""
    tallies = [(50, 250), (49, 245), (0, 0)]
    assert scored(tallies, rules(min_ratings=50)) == {"description": Tally(50, 250)}
    assert scored(tallies, rules()) == {
        "description": Tally(50, 250),
        "service": Tally(49, 245),
    }


def test_each_shop_counts_once() -> None:
    """A thousand ratings weigh no more than one in the mean of a group."""
    found = snapshot([shop(1, 1000, 5000), shop(2, 1, 4), shop(3), shop(4, 2, 8)])
    assert found.groups == {
        ("taobao", "baby", "service"): Group(3, Fraction(13, 3), Fraction(4), Fraction(5))
    }
    assert found.percentiles == {
        "description": {},
        "service": {1: 100.0, 2: 0.0, 4: 0.0},
        "logistics": {},
    }


def test_shops_without_sales_are_in_the_sales_group() -> None:
    """Zeros are sales; currencies and categories do not mix."""
    shops = [
        shop(1, sold=500),
        shop(2, sold=0),
        shop(3, sold=70, category="toys"),
        shop(4, sold=7)._replace(currency="USD"),
    ]
    assert snapshot(shops).sales == {
        ("taobao", "baby", "CNY"): [0, 500],
        ("taobao", "toys", "CNY"): [70],
        ("taobao", "baby", "USD"): [7],
    }
    assert snapshot([]) == ({}, {dimension: {} for dimension in DIMENSIONS}, {})


_tally = st.integers(1, 10**7).flatmap(
    lambda count: st.builds(Tally, st.just(count), st.integers(count, 5 * count))
) | st.builds(Tally, st.just(2), st.integers(2, 10))

_shops = st.lists(
    st.tuples(
        st.sampled_from(["baby", "toys"]),
        st.dictionaries(st.sampled_from(DIMENSIONS), _tally),
        st.integers(0, 9),
    ),
    max_size=12,
).map(
    lambda drawn: [
        PeerShop(key, "taobao", category, "CNY", sold, found)
        for key, (category, found, sold) in enumerate(drawn)
    ]
)


@given(_shops, st.data())
def test_statistics_are_exact(shops: list[PeerShop], data: st.DataObject) -> None:
    """In any order, mean, extremes and percentiles equal those of plain fractions."""
    found = snapshot(data.draw(st.permutations(shops)))
    percentiles: dict[str, dict[int, float | None]] = {dimension: {} for dimension in DIMENSIONS}
    for category in ("baby", "toys"):
        for name in DIMENSIONS:
            scores = {
                one.shop_key: _score(one.tallies, name)
                for one in shops
                if one.category == category and name in one.tallies
            }
            group = found.groups.get(("taobao", category, name))
            assert (group is None) == (not scores)
            if group is None:
                continue
            assert group == Group(
                shops=len(scores),
                mean=sum(scores.values(), Fraction(0)) / len(scores),
                min=min(scores.values()),
                max=max(scores.values()),
            )
            for key, score in scores.items():
                below = sum(other < score for other in scores.values())
                share = figures.percent(figures.quotient(100 * below, len(scores) - 1))
                percentiles[name][key] = share
    assert found.percentiles == percentiles


@given(st.integers(1, 10**9), st.data())
def test_scores_that_differ_by_a_hair_are_told_apart(count: int, data: st.DataObject) -> None:
    """Two neighbouring scores of a billion ratings do not tie, which floats would let them."""
    stars = data.draw(st.integers(count, 5 * count - 1))
    better = (stars * (count + 1)) // count + 1
    found = snapshot([shop(1, count, stars), shop(2, count + 1, better)]).percentiles
    assert found["service"] == {1: 0.0, 2: 100.0}


@pytest.mark.parametrize("count", [2**25 - 2, 2**25 - 1, 2**25])
def test_the_longest_counts_that_floats_tell_apart(count: int) -> None:
    """Where two scores lie nearest, and floats furthest apart, the better one is above."""
    shops = [shop(1, count, 5 * count - 1), shop(2, count + 1, 5 * (count + 1) - 1)]
    assert snapshot(shops).percentiles["service"] == {1: 0.0, 2: 100.0}


@given(
    st.lists(st.fractions(1, 5, max_denominator=50), min_size=2, max_size=8),
    st.fractions(1, 5, max_denominator=50),
)
def test_percent_is_within_a_hundred(scores: list[Fraction], score: Fraction) -> None:
    """Whatever the shop's score is today, beside whatever snapshot."""
    group = Group(len(scores), sum(scores, Fraction(0)) / len(scores), min(scores), max(scores))
    found = compared(score, standing(group), min_shops=2)
    assert found.percent is None or 0 <= found.percent <= 100
    assert (found.flag == "red") == (found.relation == "above")
    assert (found.flag == "green") == (found.relation == "below")


def _score(found: Mapping[Dimension, Tally], name: Dimension) -> Fraction:
    return Fraction(found[name].sum, found[name].count)
