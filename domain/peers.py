"""Peers: how a shop's scores compare with those of its marketplace and category.

A snapshot is taken of all shops at once; an answer about one shop looks up its group in it.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from domain import figures, scores
from domain.rules import Rules
from domain.totals import DIMENSIONS, Dimension

PeersStatus = Literal["no_score", "no_snapshot", "too_few_peers", "ok"]
Relation = Literal["above", "below", "level"]
Flag = Literal["red", "green", "none"]

_FLAGS: dict[Relation, Flag] = {"above": "red", "below": "green", "level": "none"}


class Peers(msgspec.Struct, frozen=True):
    """One dimension of a shop beside its peers; `percent` and `percentile` are of 100."""

    status: PeersStatus
    as_of: date | None
    shops: int | None
    mean: float | None
    min: float | None
    max: float | None
    percentile: float | None
    relation: Relation | None
    percent: float | None
    flag: Flag | None


class Group(msgspec.Struct, frozen=True):
    """Exact scores of one dimension over a group of shops, each shop counting once."""

    shops: int
    mean: Fraction
    min: Fraction
    max: Fraction


class PeerStanding(msgspec.Struct, frozen=True):
    """What the newest snapshot says of a shop; `as_of` is null where there is no snapshot.

    A dimension is absent from `groups` where no peer has a score, and from `percentiles` where
    this shop had none.
    """

    as_of: date | None = None
    groups: Mapping[Dimension, Group] = {}
    percentiles: Mapping[Dimension, float] = {}


class Tally(msgspec.Struct, frozen=True, gc=False):
    """Ratings and their stars; the count is at least 1."""

    count: int
    sum: int


class PeerShop(NamedTuple):
    """One shop as a snapshot takes it; a dimension that is not `ok` has no tally."""

    shop_key: int
    marketplace: str
    category: str
    currency: str
    sales: int
    tallies: Mapping[Dimension, Tally]


GroupKey: TypeAlias = tuple[str, str, Dimension]
"""Marketplace, category, dimension."""

SalesKey: TypeAlias = tuple[str, str, str]
"""Marketplace, category, currency."""

Percentiles: TypeAlias = dict[Dimension, dict[int, float | None]]
"""By dimension and shop key; null where the shop is alone, absent where it has no score."""


class Snapshot(NamedTuple):
    """All groups of one tenant; sales in minor units, rising."""

    groups: dict[GroupKey, Group]
    percentiles: Percentiles
    sales: dict[SalesKey, list[int]]


def scored(tallies: Iterable[tuple[int, int]], rules: Rules) -> dict[Dimension, Tally]:
    """Of counts and sums, one pair a dimension, those with a score under the shop's own rules."""
    return {
        dimension: Tally(*tally)
        for dimension, tally in zip(DIMENSIONS, tallies, strict=True)
        if scores.status(tally[0], rules) == "ok"
    }


def snapshot(shops: Iterable[PeerShop]) -> Snapshot:
    """Group the shops and rank each within its groups, in the time of one sort per group."""
    peers: dict[tuple[str, str], list[PeerShop]] = defaultdict(list)
    sales: dict[SalesKey, list[int]] = defaultdict(list)
    for shop in shops:
        peers[shop.marketplace, shop.category].append(shop)
        sales[shop.marketplace, shop.category, shop.currency].append(shop.sales)
    groups: dict[GroupKey, Group] = {}
    percentiles: Percentiles = {dimension: {} for dimension in DIMENSIONS}
    for named, members in peers.items():
        for dimension in DIMENSIONS:
            found = {
                shop.shop_key: shop.tallies[dimension]
                for shop in members
                if dimension in shop.tallies
            }
            if not found:
                continue
            tallies = list(found.values())
            ranks = _ranks(tallies)
            rising = sorted(ranks)
            groups[*named, dimension] = Group(
                shops=len(tallies),
                mean=_mean(tallies),
                min=_score(tallies[ranks.index(rising[0])]),
                max=_score(tallies[ranks.index(rising[-1])]),
            )
            places = [percentile(bisect_left(rising, rank), len(ranks)) for rank in ranks]
            percentiles[dimension].update(zip(found, places, strict=True))
    return Snapshot(
        groups=groups,
        percentiles=percentiles,
        sales={key: sorted(values) for key, values in sales.items()},
    )


@lru_cache(maxsize=4096)
def percentile(below: int, shops: int) -> float | None:
    """`100 below / (shops - 1)`: the share of the other shops strictly below; None if alone."""
    if shops < 2:
        return None
    return figures.rounded_quotient(100 * below, shops - 1, figures.PERCENT_DIGITS)


def compare(
    score: Fraction | None, standing: PeerStanding, dimension: Dimension, rules: Rules
) -> Peers:
    """A shop's exact score (None unless `ok`) beside its group in the newest snapshot.

    Above the mean `percent` is `(score - mean) / (max - mean)`, below it
    `(mean - score) / (mean - min)`, times 100 and at most 100: the score is as of the day asked
    about, so it may lie outside the snapshot's span.
    """
    group = standing.groups.get(dimension)
    if score is None:
        return _no_peers("no_score", standing.as_of)
    if standing.as_of is None:
        return _no_peers("no_snapshot", None)
    if group is None or group.shops < rules.peer_min_shops:
        return _no_peers("too_few_peers", standing.as_of)
    relation = _relation(score, group.mean)
    return Peers(
        status="ok",
        as_of=standing.as_of,
        shops=group.shops,
        mean=figures.score(group.mean),
        min=figures.score(group.min),
        max=figures.score(group.max),
        percentile=standing.percentiles.get(dimension),
        relation=relation,
        percent=figures.percent(_percent(score, group, relation)),
        flag=_FLAGS[relation],
    )


def _no_peers(status: PeersStatus, as_of: date | None) -> Peers:
    return Peers(
        status=status,
        as_of=as_of,
        shops=None,
        mean=None,
        min=None,
        max=None,
        percentile=None,
        relation=None,
        percent=None,
        flag=None,
    )


def _relation(score: Fraction, mean: Fraction) -> Relation:
    shown, middle = figures.score(score), figures.score(mean)
    if shown == middle:
        return "level"
    return "above" if score > mean else "below"


def _percent(score: Fraction, group: Group, relation: Relation) -> Fraction | None:
    furthest = group.max if relation == "above" else group.min
    if relation == "level" or furthest == group.mean:
        return None
    return min(100 * (score - group.mean) / (furthest - group.mean), Fraction(100))


def _ranks(group: Sequence[Tally]) -> Sequence[float]:
    """Numbers that order and equal each other as the exact scores do, much faster than those."""
    # Two different scores are at least 1 / (count * count) apart. Floats up to 5, cut off at
    # 2 ** -50, keep them apart as long as counts are short; else whole numbers do, scaled by more.
    bits = max(tally.count for tally in group).bit_length()
    if bits <= 25:
        return [tally.sum / tally.count for tally in group]
    return [(tally.sum << 2 * bits) // tally.count for tally in group]


def _mean(group: Sequence[Tally]) -> Fraction:
    # Scores are added a few at a time, so that most additions are of short numbers, and the sum
    # is reduced once at the end: linear in practice, where adding one by one is quadratic.
    sums: Counter[int] = Counter()
    for tally in group:
        sums[tally.count] += tally.sum
    terms = [(stars, count) for count, stars in sums.items()]
    while len(terms) > 1:
        terms = [_added(terms[start : start + 16]) for start in range(0, len(terms), 16)]
    total, denominator = terms[0]
    return Fraction(total, denominator * len(group))


def _added(terms: Sequence[tuple[int, int]]) -> tuple[int, int]:
    common = lcm(*(denominator for _, denominator in terms))
    return sum(numerator * (common // denominator) for numerator, denominator in terms), common


def _score(tally: Tally) -> Fraction:
    return Fraction(tally.sum, tally.count)
