"""Peers: how a shop's scores compare with those of its marketplace and category.

A snapshot is taken of all shops at once; an answer about one shop looks up its group in it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import lcm
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from domain import figures
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

    A dimension is absent from `groups` where no peer has a score, and from `below`, the number of
    peers strictly below, where this shop had none.
    """

    as_of: date | None = None
    groups: Mapping[Dimension, Group] = {}
    below: Mapping[Dimension, int] = {}


Tally: TypeAlias = tuple[int, int]
"""Ratings and their stars; no ratings where a shop has no score."""

Member: TypeAlias = tuple[int | None, ...]
"""A shop's key and sales, and for each dimension how many peers are below; null without a score."""


class PeerShops(NamedTuple):
    """Shops of one group and currency as a snapshot takes them, in columns: one member a shop."""

    currency: str
    shop_keys: Sequence[int]
    sales: Sequence[int]
    tallies: Sequence[Sequence[Tally]]
    """In the order of the dimensions."""


class Snapshot(NamedTuple):
    """A group of peers; its members by currency, their keys rising.

    A dimension is absent where no peer has a score.
    """

    groups: dict[Dimension, Group]
    members: dict[str, list[Member]]


def scored(counts: Iterable[int], stars: Iterable[int], rules: Rules) -> list[Tally]:
    """Those with a score under the shops' own rules; the others without their ratings."""
    least = rules.min_ratings
    return [tally if tally[0] >= least else (0, 0) for tally in zip(counts, stars, strict=True)]


def snapshot(peers: Sequence[PeerShops]) -> Snapshot:
    """Rank the shops of one marketplace and category, in the time of one sort a dimension."""
    groups: dict[Dimension, Group] = {}
    below: list[Iterator[int | None]] = []
    for place, dimension in enumerate(DIMENSIONS):
        tallies = [tally for shops in peers for tally in shops.tallies[place]]
        ranks = _ranks(tallies)
        rising = sorted(rank for rank in ranks if rank is not None)
        if rising:
            groups[dimension] = Group(
                shops=len(rising),
                mean=_mean(tallies, len(rising)),
                min=Fraction(*reversed(tallies[ranks.index(rising[0])])),
                max=Fraction(*reversed(tallies[ranks.index(rising[-1])])),
            )
        # Of equal ranks the first one stays.
        lower: dict[float | None, int] = dict(
            zip(reversed(rising), reversed(range(len(rising))), strict=True)
        )
        below.append(map(lower.get, ranks))
    members: defaultdict[str, list[Member]] = defaultdict(list)
    for shops in peers:
        members[shops.currency] += zip(shops.shop_keys, shops.sales, *below, strict=False)
    return Snapshot(groups, {currency: sorted(found) for currency, found in members.items()})


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
    below = standing.below.get(dimension)
    return Peers(
        status="ok",
        as_of=standing.as_of,
        shops=group.shops,
        mean=figures.score(group.mean),
        min=figures.score(group.min),
        max=figures.score(group.max),
        percentile=None if below is None else percentile(below, group.shops),
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


def _ranks(group: Sequence[Tally]) -> Sequence[float | None]:
    """Numbers that order and equal each other as the exact scores do, much faster than those."""
    # Two different scores are at least 1 / (count * count) apart. Floats up to 5, cut off at
    # 2 ** -50, keep them apart as long as counts are short; else whole numbers do, scaled by more.
    bits = max((count for count, _ in group), default=0).bit_length()
    if bits <= 25:
        return [stars / count if count else None for count, stars in group]
    return [(stars << 2 * bits) // count if count else None for count, stars in group]


def _mean(group: Iterable[Tally], shops: int) -> Fraction:
    # Scores are added a few at a time, so that most additions are of short numbers, and the sum
    # is reduced once at the end: linear in practice, where adding one by one is quadratic.
    sums: defaultdict[int, int] = defaultdict(int)
    for count, stars in group:
        sums[count] += stars
    terms = [(stars, count) for count, stars in sums.items() if count]
    while len(terms) > 1:
        terms = [_added(terms[start : start + 16]) for start in range(0, len(terms), 16)]
    total, denominator = terms[0]
    return Fraction(total, denominator * shops)


def _added(terms: Sequence[tuple[int, int]]) -> tuple[int, int]:
    common = lcm(*(denominator for _, denominator in terms))
    return sum(numerator * (common // denominator) for numerator, denominator in terms), common
