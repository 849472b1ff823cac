"""Rules: the named, versioned parameters under which a shop is scored."""

from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.names import Name

DecimalText = Annotated[
    str,
    Meta(
        pattern=r"^(0|[1-9][0-9]*)(\.[0-9]+)?$(?!\n)",
        max_length=20,
        title="a decimal number as text of at most 20 characters, such as 0.95",
    ),
]
Shares = Annotated[list[DecimalText], Meta(min_length=3, max_length=3)]


class ZeroPayment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which listings are zero-payment listings, in days up to the as-of day."""

    published: Literal["within", "before"]
    published_days: Annotated[int, Meta(ge=1, le=365)]
    no_sale_days: Annotated[int, Meta(ge=1, le=365)]


class BandShares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of shops and of traffic in the bottom, waist and top band; each sums to 1."""

    shops: Shares
    traffic: Shares

    def __post_init__(self) -> None:
        for name in ("shops", "traffic"):
            if sum(map(Fraction, getattr(self, name))) != 1:
                raise ValueError(f"`{name}` must sum to 1")


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One set of parameters; windows and deadlines in days, null for a rule that is off."""

    rating_window_days: Annotated[int, Meta(ge=1, le=730)]
    ratings_per_buyer_month: Annotated[int, Meta(ge=1, le=1000)] | None
    rating_deadline_days: Annotated[int, Meta(ge=0, le=365)] | None
    min_ratings: Annotated[int, Meta(ge=1, le=100_000)]
    peer_min_shops: Annotated[int, Meta(ge=2, le=1000)]
    sales_window_days: Annotated[int, Meta(ge=1, le=365)]
    refunds_reduce_sales: bool
    tier_quantiles: Annotated[list[DecimalText], Meta(min_length=6, max_length=6)]
    band_shares: BandShares
    sold_window_days: Annotated[int, Meta(ge=1, le=365)]
    zero_payment: ZeroPayment
    slow_days: Annotated[int, Meta(ge=1, le=730)]

    def __post_init__(self) -> None:
        cuts = [Fraction(0), *map(Fraction, self.tier_quantiles), Fraction(1)]
        if any(low >= high for low, high in pairwise(cuts)):
            raise ValueError("`tier_quantiles` must rise strictly between 0 and 1")


class RulesRef(msgspec.Struct, frozen=True):
    """Name and version of the rules that a figure follows."""

    name: Name
    version: int


class RuleSet(msgspec.Struct, frozen=True):
    """Rules as stored: under a name, in a version that rises with each change."""

    name: str
    version: int
    built_in: bool
    rules: Rules

    @property
    def ref(self) -> RulesRef:
        """Return the name and version."""
        return RulesRef(self.name, self.version)


TAOBAO = Rules(
    rating_window_days=180,
    ratings_per_buyer_month=3,
    rating_deadline_days=15,
    min_ratings=1,
    peer_min_shops=5,
    sales_window_days=30,
    refunds_reduce_sales=False,
    tier_quantiles=["0.40", "0.70", "0.82", "0.90", "0.95", "0.99"],
    band_shares=BandShares(shops=["0.70", "0.25", "0.05"], traffic=["0.30", "0.40", "0.30"]),
    sold_window_days=30,
    zero_payment=ZeroPayment(published="within", published_days=90, no_sale_days=7),
    slow_days=90,
)
PINDUODUO = msgspec.structs.replace(TAOBAO, rating_window_days=90, min_ratings=50)

BUILT_IN = {
    name: RuleSet(name, 1, built_in=True, rules=rules)
    for name, rules in (("pinduoduo", PINDUODUO), ("taobao", TAOBAO))
}
