"""Peers: exact statistics of a group, and a shop compared with its group."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from domain.counters import DIMENSIONS
from domain.figures import percentile
from domain.metrics import DSR, PARTS, SALES
from domain.peers import Group, Peers, PeerShops, PeerStatistics, compare, snapshot
from domain.rules import TAOBAO, Rules
from tests.domain.builders import day, rules

SERVICE = DSR["service"].key
NO_RATINGS = (0, 0)


def shop(
    shop_key: int, count: int = 0, stars: int = 0, *, sold: int = 0, of: Rules = TAOBAO
) -> PeerShops:
    """Return a shop with a score in service, or without any."""
    return rated(shop_key, [NO_RATINGS, (count, stars), NO_RATINGS], sold, of)


def rated(
    shop_key: int, tallies: Sequence[tuple[int, int]], sold: int, of: Rules = TAOBAO
) -> PeerShops:
    """Return a shop with counts and stars of each dimension."""
    sums = {part: [0] for part in PARTS}
    for metric, (count, stars) in zip(DSR.values(), tallies, strict=True):
        sums |= dict(zip(metric.parts, ([stars], [count]), strict=True))
    sums |= dict(zip(SALES.parts, ([sold], [0]), strict=True))
    return PeerShops("CNY", of, [shop_key], sums)


def below(peers: Sequence[PeerShops]) -> dict[int | None, int | None]:
    """Count the peers below each shop in service."""
    [members] = snapshot(peers).members.values()
    return {member.shop_key: member.below[1] for member in members}


def of_ratios(peers: Sequence[PeerShops]) -> dict[str, Group]:
    """Return the statistics of metrics that are no money."""
    groups = snapshot(peers).groups
    return {metric: group for (metric, currency), group in groups.items() if not currency}


GROUP = Group(shops=5, mean=Fraction(47, 10), min=Fraction(4), max=Fraction(5))


def statistics(group: Group = GROUP, below: int | None = 3) -> PeerStatistics:
    """Return statistics of day 3 in which some of its peers are below the shop."""
    return PeerStatistics(
        as_of=day(3),
        groups={SERVICE: group},
        below={} if below is None else {SERVICE: below},
    )


def compared(score: Fraction | None, to: PeerStatistics, min_shops: int = 5) -> Peers:
    """Compare a score in service with its peers."""
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
    """`percent` is that of the distance from the mean to the best or the worst."""
    assert compared(score, statistics()) == Peers(
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


def test_there_is_no_percent_of_a_zero_distance() -> None:
    """Where all peers have the same score `percent` is null."""
    alike = statistics(Group(5, Fraction(4), Fraction(4), Fraction(4)))
    above, below = compared(Fraction(5), alike), compared(Fraction(3), alike)
    assert (above.relation, above.percent, above.flag) == ("above", None, "red")
    assert (below.relation, below.percent, below.flag) == ("below", None, "green")


def test_a_shop_outside_the_snapshot_has_no_percentile() -> None:
    """A shop outside the snapshot is compared with the mean."""
    peers = compared(Fraction(5), statistics(below=None))
    assert (peers.status, peers.percentile, peers.percent) == ("ok", None, 100.0)


@pytest.mark.parametrize(
    ("score", "to", "min_shops", "status", "as_of"),
    [
        (None, statistics(), 5, "no_score", day(3)),
        (None, PeerStatistics(), 5, "no_score", None),
        (None, PeerStatistics(as_of=day(3)), 5, "no_score", day(3)),
        (Fraction(5), PeerStatistics(), 5, "no_snapshot", None),
        (Fraction(5), statistics(), 6, "too_few_peers", day(3)),
        (Fraction(5), PeerStatistics(as_of=day(3)), 2, "too_few_peers", day(3)),
    ],
)
def test_the_status_is_the_first_reason_that_applies(
    score: Fraction | None, to: PeerStatistics, min_shops: int, status: str, as_of: date | None
) -> None:
    """No score, no snapshot, too few peers; all else is null but the snapshot's day."""
    status_and_rest = astuple(compared(score, to, min_shops))
    assert status_and_rest[:2] == (status, as_of)
    assert set(status_and_rest[2:]) == {None}


@pytest.mark.parametrize(
    ("below", "shops", "expected"),
    [(0, 5, 0.0), (4, 5, 100.0), (1, 4, 33.33), (2, 4, 66.67), (0, 1, None)],
)
def test_a_percentile_is_of_the_other_shops(below: int, shops: int, expected: float | None) -> None:
    """A percentile is the share of other shops strictly below; null without others."""
    assert percentile(below, shops) == expected


def test_a_shop_is_a_peer_where_it_has_a_score() -> None:
    """The `min_ratings` of a shop's own rules decide whether it is a peer."""
    counts = (50, 49, 0)
    for least, places in ((50, [0, None, None]), (1, [1, 0, None])):
        of = rules(min_ratings=least)
        peers = [
            shop(key, count, 5 * count - (count == 49), of=of) for key, count in enumerate(counts)
        ]
        assert list(below(peers).values()) == places


def test_each_shop_counts_once() -> None:
    """A thousand ratings weigh no more than one in the mean of a group."""
    peers = [shop(1, 1000, 5000), shop(2, 1, 4), shop(3), shop(4, 2, 8)]
    assert of_ratios(peers) == {SERVICE: Group(3, Fraction(13, 3), Fraction(4), Fraction(5))}
    assert below(peers) == {1: 2, 2: 0, 3: None, 4: 0}


def test_members_are_sorted_by_currency_and_key() -> None:
    """Ranks span currencies; shops without sales or a score are members too."""
    peers = [
        shop(4, 1, 5, sold=7)._replace(currency="USD"),
        shop(3, sold=500),
        shop(1, 1, 4),
    ]
    result = snapshot(peers)
    assert result.members == {
        "CNY": [(1, 0, (None, 0, None, None)), (3, 500, (None, None, None, None))],
        "USD": [(4, 7, (None, 1, None, None))],
    }
    assert result.groups["sales", "CNY"] == Group(2, Fraction(250), Fraction(0), Fraction(500))
    assert result.groups["sales", "USD"] == Group(1, Fraction(7), Fraction(7), Fraction(7))
    assert snapshot([]) == ({}, {})


_tallies = (
    st.just((0, 0))
    | st.tuples(st.just(2), st.integers(2, 10))
    | st.integers(1, 10**7).flatmap(
        lambda count: st.tuples(st.just(count), st.integers(count, 5 * count))
    )
)

_shops = st.lists(st.tuples(_tallies, _tallies, _tallies, st.integers(0, 9)), max_size=12).map(
    lambda drawn: [rated(key, tallies, sold) for key, (*tallies, sold) in enumerate(drawn)]
)


@given(_shops, st.data())
def test_statistics_are_exact(shops: list[PeerShops], data: st.DataObject) -> None:
    """In any order, mean, extremes and ranks equal those of plain fractions."""
    result = snapshot(data.draw(st.permutations(shops)))
    ranks = []
    for name in DIMENSIONS:
        stars, counts = ([shop.sums[part][0] for shop in shops] for part in DSR[name].parts)
        all_scores = [
            Fraction(total, count) if count else None
            for total, count in zip(stars, counts, strict=True)
        ]
        scores = [score for score in all_scores if score is not None]
        assert result.groups.get((DSR[name].key, "")) == (
            Group(
                shops=len(scores),
                mean=sum(scores, Fraction(0)) / len(scores),
                min=min(scores),
                max=max(scores),
            )
            if scores
            else None
        )
        ranks.append(
            [
                None if score is None else sum(other < score for other in scores)
                for score in all_scores
            ]
        )
    sales = [shop.sales[0] for shop in shops]
    members = [
        (member.shop_key, member.sales, *member.below[:3])
        for member in result.members.get("CNY", [])
    ]
    assert members == list(zip(range(len(shops)), sales, *ranks, strict=True))
    assert result.members.keys() <= {"CNY"}


@given(st.integers(1, 10**9), st.data())
def test_scores_that_hardly_differ_do_not_tie(count: int, data: st.DataObject) -> None:
    """Adjacent scores of a billion ratings do not tie, as floats would."""
    stars = data.draw(st.integers(count, 5 * count - 1))
    better = (stars * (count + 1)) // count + 1
    assert below([shop(1, count, stars), shop(2, count + 1, better)]) == {1: 0, 2: 1}


@pytest.mark.parametrize("count", [2**25 - 2, 2**25 - 1, 2**25])
def test_scores_at_the_limit_of_float_precision_do_not_tie(count: int) -> None:
    """Of the closest scores at the limit of floats the better is above."""
    shops = [shop(1, count, 5 * count - 1), shop(2, count + 1, 5 * (count + 1) - 1)]
    assert below(shops) == {1: 0, 2: 1}


@given(
    st.lists(st.fractions(1, 5, max_denominator=50), min_size=2, max_size=8),
    st.fractions(1, 5, max_denominator=50),
)
def test_percent_is_within_a_hundred(scores: list[Fraction], score: Fraction) -> None:
    """Any score compared with any group has a percent of 0 to 100."""
    group = Group(len(scores), sum(scores, Fraction(0)) / len(scores), min(scores), max(scores))
    peers = compared(score, statistics(group), min_shops=2)
    assert peers.percent is None or 0 <= peers.percent <= 100
    assert (peers.flag == "red") == (peers.relation == "above")
    assert (peers.flag == "green") == (peers.relation == "below")
