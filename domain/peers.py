"""Peers: how a shop's scores compare with those of its marketplace and category.

A snapshot covers all shops; the scores of a shop are compared with its group in a snapshot.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import lcm
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from domain import figures, tier
from domain.counters import Dimension
from domain.metrics import DSR, RATIOS, SALES, Metric, denominator_min
from domain.rules import Rules

PeersStatus = Literal["no_score", "no_snapshot", "too_few_peers", "ok"]
Relation = Literal["above", "below", "level"]
Flag = Literal["red", "green", "none"]

_FLAGS: dict[Relation, Flag] = {"above": "red", "below": "green", "level": "none"}


class Peers(msgspec.Struct, frozen=True):
    """One dimension of a shop compared with its peers; `percent` and `percentile` are of 100."""

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
    """Exact values of one metric over a group of shops, each shop counting once."""

    shops: int
    mean: Fraction
    min: Fraction
    max: Fraction


class PeerStatistics(msgspec.Struct, frozen=True):
    """Statistics of a shop's peers in the newest snapshot; `as_of` is null without a snapshot.

    A metric is absent from `groups` where no peer has a value, and from `below`, the number of
    peers strictly below, where this shop had none.
    """

    as_of: date | None = None
    groups: Mapping[str, Group] = {}
    below: Mapping[str, int] = {}


Ratio: TypeAlias = tuple[int, int]
"""Denominator and numerator; 0 and 0 where a shop has no value."""


class PeerShops(NamedTuple):
    """Shops of one group, currency and rules that enter a snapshot, in columns."""

    currency: str
    rules: Rules
    shop_keys: Sequence[int]
    sums: Mapping[str, list[int]]
    """Window sums by the names of the metrics' parts, a value for each shop."""

    @property
    def sales(self) -> list[int]:
        """Return the sales of each shop."""
        paid, refunded = (self.sums[name] for name in SALES.parts)
        return [tier.net_sales(*sums, self.rules) for sums in zip(paid, refunded, strict=True)]


class Member(NamedTuple):
    """A shop in a snapshot; `below` counts, for each ratio, the peers below the shop."""

    shop_key: int
    sales: int
    below: tuple[int | None, ...]


class Snapshot(NamedTuple):
    """Groups of peers by metric (and currency, for money), and members by currency.

    A metric is absent where no peer has a value.
    """

    groups: dict[tuple[str, str], Group]
    members: dict[str, list[Member]]


def snapshot(peers: Sequence[PeerShops]) -> Snapshot:
    """Rank the shops of one marketplace and category by each metric."""
    groups: dict[tuple[str, str], Group] = {}
    below: list[Iterable[int | None]] = []
    for metric in RATIOS:
        ratios = [ratio for shops in peers for ratio in _ratios(metric, shops)]
        ranks = _ranks(ratios)
        rising = sorted(rank for rank in ranks if rank is not None)
        if rising:
            groups[metric.key, ""] = Group(
                shops=len(rising),
                mean=_mean(ratios, len(rising)),
                min=Fraction(*reversed(ratios[ranks.index(rising[0])])),
                max=Fraction(*reversed(ratios[ranks.index(rising[-1])])),
            )
        # Of equal ranks the lowest place counts: it is written last.
        lower: dict[float | None, int] = dict(
            zip(reversed(rising), reversed(range(len(rising))), strict=True)
        )
        below.append(map(lower.get, ranks))
    places = zip(*below, strict=True)
    members: defaultdict[str, list[Member]] = defaultdict(list)
    for shops in peers:
        members[shops.currency] += map(Member, shops.shop_keys, shops.sales, places)
    for currency, of_currency in members.items():
        of_currency.sort()
        sales = [member.sales for member in of_currency]
        groups[SALES.key, currency] = Group(
            shops=len(sales),
            mean=Fraction(sum(sales), len(sales)),
            min=Fraction(min(sales)),
            max=Fraction(max(sales)),
        )
    return Snapshot(groups, dict(members))


def _ratios(metric: Metric, shops: PeerShops) -> Iterable[Ratio]:
    least = denominator_min(metric, shops.rules)
    numerators, denominators = (shops.sums[name] for name in metric.parts)
    for ratio in zip(denominators, numerators, strict=True):
        yield ratio if ratio[0] >= least else (0, 0)


def compare(
    score: Fraction | None, peers: PeerStatistics, dimension: Dimension, rules: Rules
) -> Peers:
    """Compare a shop's exact score (None unless `ok`) with its group.

    Above the mean `percent` is `(score - mean) / (max - mean)`, below the mean
    `(mean - score) / (mean - min)`, times 100 and at most 100: the score may be of a later day than
    the snapshot, and so outside its extremes.
    """
    key = DSR[dimension].key
    group = peers.groups.get(key)
    if score is None:
        return _no_peers("no_score", peers.as_of)
    if peers.as_of is None:
        return _no_peers("no_snapshot", None)
    if group is None or group.shops < rules.peer_min_shops:
        return _no_peers("too_few_peers", peers.as_of)
    relation = _relation(score, group.mean)
    below = peers.below.get(key)
    return Peers(
        status="ok",
        as_of=peers.as_of,
        shops=group.shops,
        mean=figures.score(group.mean),
        min=figures.score(group.min),
        max=figures.score(group.max),
        percentile=None if below is None else figures.percentile(below, group.shops),
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
    if figures.score(score) == figures.score(mean):
        return "level"
    return "above" if score > mean else "below"


def _percent(score: Fraction, group: Group, relation: Relation) -> Fraction | None:
    furthest = group.max if relation == "above" else group.min
    if relation == "level" or furthest == group.mean:
        return None
    return min(100 * (score - group.mean) / (furthest - group.mean), Fraction(100))


def _ranks(group: Sequence[Ratio]) -> Sequence[float | None]:
    """Return numbers in the order of the exact ratios, equal where those are equal.

    Comparing these numbers is much faster than comparing fractions.
    """
    # Two different scores differ by at least 1 / (count * count). Floats up to 5 have steps of
    # 2 ** -50, which is fine enough for counts of 25 bits; longer counts take scaled integers.
    bits = max((count for count, _ in group), default=0).bit_length()
    if bits <= 25:
        return [stars / count if count else None for count, stars in group]
    return [(stars << 2 * bits) // count if count else None for count, stars in group]


def _mean(group: Iterable[Ratio], shops: int) -> Fraction:
    # Scores are added in groups of 16, so that most additions are of short numbers, and the sum
    # is reduced once at the end: linear in practice, where adding each in turn is quadratic.
    sums: defaultdict[int, int] = defaultdict(int)
    for count, stars in group:
        sums[count] += stars
    terms = [(stars, count) for count, stars in sums.items() if count]
    while len(terms) > 1:
        terms = [_add_terms(terms[start : start + 16]) for start in range(0, len(terms), 16)]
    total, denominator = terms[0]
    return Fraction(total, denominator * shops)


def _add_terms(terms: Sequence[tuple[int, int]]) -> tuple[int, int]:
    shared = lcm(*(denominator for _, denominator in terms))
    return sum(numerator * (shared // denominator) for numerator, denominator in terms), shared
