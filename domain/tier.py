"""Tier: the level that a shop's sales reach on the ladder of its category."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain import figures
from domain.days import Window
from domain.events import Amount
from domain.rules import Rules
from domain.shops import CURRENCY_DIGITS, minor_units, money
from domain.totals import PAID, REFUNDED, Totals

Band = Literal["bottom", "waist", "top"]

CUTS = 6
"""How many amounts a ladder has: the sales at which levels 2 to 7 begin."""

_BANDS: tuple[Band, ...] = ("bottom", "bottom", "waist", "waist", "waist", "top", "top")
_SHARE_OF_BAND: dict[Band, int] = {"bottom": 0, "waist": 1, "top": 2}


class Ladder(msgspec.Struct, frozen=True):
    """Six strictly rising amounts in minor units: the cuts of levels 2 to 7 in one category."""

    currency: str
    amounts: tuple[int, ...]

    def draft(self) -> "LadderDraft":
        """Return the ladder in decimal amounts, with exactly the currency's digits."""
        return LadderDraft(self.currency, [money(cut, self.currency) for cut in self.amounts])


class LadderDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ladder as callers write and read it, in decimal amounts."""

    currency: str
    amounts: Annotated[list[Amount], Meta(min_length=CUTS, max_length=CUTS)]

    def __post_init__(self) -> None:
        if self.currency not in CURRENCY_DIGITS:
            raise ValueError("`currency` must be an ISO 4217 code")
        try:
            cuts = self._cuts()
        except ValueError as error:
            raise ValueError(f"`amounts`: {error}") from None
        if any(low >= high for low, high in pairwise([0, *cuts])):
            raise ValueError("`amounts` must be above 0 and rise strictly")

    def ladder(self) -> Ladder:
        """Return the ladder in minor units."""
        return Ladder(self.currency, tuple(self._cuts()))

    def _cuts(self) -> list[int]:
        return [minor_units(amount, self.currency) for amount in self.amounts]


class SalesGroup(msgspec.Struct, frozen=True):
    """Sales of a shop's category and currency in the newest snapshot, in minor units.

    `sales` are in rising order, one a shop, zeros included; `own` is those of the shop itself, null
    where it was not in the snapshot.
    """

    as_of: date
    sales: Sequence[int]
    own: int | None
    known_cuts: dict[tuple[str, ...], list[int]] = msgspec.field(default_factory=dict)
    """Results of `cuts`, by quantiles."""

    def cuts(self, quantiles: Sequence[str]) -> list[int]:
        """Return `quantile_cuts`, computed once for each list of quantiles."""
        key = tuple(quantiles)
        cuts = self.known_cuts.get(key)
        if cuts is None:
            cuts = self.known_cuts[key] = quantile_cuts(self.sales, key)
        return cuts


class TierBasis(msgspec.Struct, frozen=True):
    """The ladder and peers that decide a shop's level; `currency` is the shop's."""

    currency: str
    ladder: Ladder | None = None
    group: SalesGroup | None = None


class Tier(msgspec.Struct, frozen=True):
    """The level of a scorecard; null without a ladder."""

    status: Literal["ok", "no_ladder"]
    level: int | None
    band: Band | None
    sales: str
    currency: str
    window: Window


class NextLevel(msgspec.Struct, frozen=True):
    """The smallest cut above the sales, its level, and the sales that are missing."""

    level: int
    amount: str
    gap: str


class Floor(msgspec.Struct, frozen=True):
    """The cut of the present level, and the sales above it."""

    amount: str
    margin: str


class LadderSource(msgspec.Struct, frozen=True):
    """Where the cuts come from: a ladder's amounts, or quantiles of the snapshot of `as_of`."""

    source: Literal["amounts", "quantiles"]
    as_of: date | None


class Shares(msgspec.Struct, frozen=True):
    """Shares of shops and of traffic that the rules give to the band, not verified."""

    shops: float
    traffic: float
    relative_traffic: float | None
    verified: Literal[False]


class TierDetail(Tier, frozen=True):
    """The level with the next cut, the present cut, and the percentile among peers."""

    next: NextLevel | None
    floor: Floor | None
    leaving_tomorrow: str
    ladder: LadderSource | None
    percentile: float | None
    shares: Shares | None


class _Cuts(msgspec.Struct, frozen=True):
    amounts: Sequence[int]
    origin: LadderSource

    def level(self, sales: int) -> int:
        return 1 + bisect_right(self.amounts, sales)


def sales(totals: Totals, rules: Rules) -> int:
    """Return the sales of these totals, in minor units."""
    return net_sales(totals[PAID], totals[REFUNDED], rules)


def net_sales(paid: int, refunded: int, rules: Rules) -> int:
    """Return the paid amount, less refunds where the rules say so, at least 0."""
    return max(paid - refunded, 0) if rules.refunds_reduce_sales else paid


def has_ladder(ladder: Ladder | None, currency: str) -> bool:
    """Return whether there is a ladder in a currency."""
    return ladder is not None and ladder.currency == currency


def tier(totals: Totals, span: Window, basis: TierBasis, rules: Rules) -> Tier:
    """Return the level of the sales window `span` from its totals."""
    sold = sales(totals, rules)
    cuts = _cuts(basis, rules)
    level = cuts.level(sold) if cuts else None
    return Tier(
        status="ok" if cuts else "no_ladder",
        level=level,
        band=_BANDS[level - 1] if level else None,
        sales=money(sold, basis.currency),
        currency=basis.currency,
        window=span,
    )


def tier_detail(
    totals: Totals, oldest: Totals, span: Window, basis: TierBasis, rules: Rules
) -> TierDetail:
    """Return the level of the window `span` in detail.

    `oldest` is the totals of the first day of the window.
    """
    brief = tier(totals, span, basis, rules)
    sold = sales(totals, rules)
    cuts = _cuts(basis, rules)
    return TierDetail(
        status=brief.status,
        level=brief.level,
        band=brief.band,
        sales=brief.sales,
        currency=brief.currency,
        window=brief.window,
        next=_next(cuts, sold, basis.currency) if cuts else None,
        floor=_floor(cuts, sold, basis.currency) if cuts else None,
        leaving_tomorrow=money(oldest[PAID], basis.currency),
        ladder=cuts.origin if cuts else None,
        percentile=_percentile(basis.group, rules),
        shares=_shares(brief.band, rules) if brief.band else None,
    )


def quantile_cuts(group: Sequence[int], quantiles: Sequence[str]) -> list[int]:
    """Return one minor unit above `percentile_disc(q)` of the group for each q.

    The group is in rising order, q is in (0, 1), and `percentile_disc(q)` is the smallest value
    that at least the share q of the group does not exceed.
    """
    size = len(group)
    return [group[-(-over * size // under) - 1] + 1 for over, under in _ratios(tuple(quantiles))]


@lru_cache(1024)
def _ratios(shares: tuple[str, ...]) -> list[tuple[int, int]]:
    return [Fraction(share).as_integer_ratio() for share in shares]


def _cuts(basis: TierBasis, rules: Rules) -> _Cuts | None:
    ladder, group = basis.ladder, basis.group
    if ladder is not None and ladder.currency == basis.currency:
        return _Cuts(ladder.amounts, LadderSource("amounts", None))
    if group is not None and len(group.sales) >= rules.peer_min_shops:
        amounts = group.cuts(rules.tier_quantiles)
        return _Cuts(amounts, LadderSource("quantiles", group.as_of))
    return None


def _next(cuts: _Cuts, sold: int, currency: str) -> NextLevel | None:
    level = cuts.level(sold)
    if level > len(cuts.amounts):
        return None
    amount = cuts.amounts[level - 1]
    return NextLevel(
        level=cuts.level(amount),
        amount=money(amount, currency),
        gap=money(amount - sold, currency),
    )


def _floor(cuts: _Cuts, sold: int, currency: str) -> Floor | None:
    level = cuts.level(sold)
    if level == 1:
        return None
    amount = cuts.amounts[level - 2]
    return Floor(amount=money(amount, currency), margin=money(sold - amount, currency))


def _percentile(group: SalesGroup | None, rules: Rules) -> float | None:
    if group is None or group.own is None or len(group.sales) < rules.peer_min_shops:
        return None
    return figures.percentile(bisect_left(group.sales, group.own), len(group.sales))


def _shares(band: Band, rules: Rules) -> Shares:
    index = _SHARE_OF_BAND[band]
    shops = Fraction(rules.band_shares.shops[index])
    traffic = Fraction(rules.band_shares.traffic[index])
    return Shares(
        shops=figures.rounded(shops, figures.RATE_DIGITS),
        traffic=figures.rounded(traffic, figures.RATE_DIGITS),
        relative_traffic=figures.score(traffic / shops) if shops else None,
        verified=False,
    )
