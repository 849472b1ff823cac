"""The parameters of every formula, and the two built-in sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Json = dict[str, Any]

_TAOBAO: Json = {
    "rating_window_days": 180,
    "ratings_per_buyer_month": 3,
    "rating_deadline_days": 15,
    "min_ratings": 1,
    "peer_min_shops": 5,
    "sales_window_days": 30,
    "refunds_reduce_sales": False,
    "tier_quantiles": ["0.40", "0.70", "0.82", "0.90", "0.95", "0.99"],
    "band_shares": {"shops": ["0.70", "0.25", "0.05"], "traffic": ["0.30", "0.40", "0.30"]},
    "sold_window_days": 30,
    "zero_payment": {"published": "within", "published_days": 90, "no_sale_days": 7},
    "slow_days": 90,
}

BUILT_IN: dict[str, Json] = {
    "taobao": _TAOBAO,
    "pinduoduo": {**_TAOBAO, "rating_window_days": 90, "min_ratings": 50},
}


@dataclass(frozen=True)
class Rules:
    """One version of one named set."""

    name: str
    version: int
    rating_window_days: int
    ratings_per_buyer_month: int | None
    rating_deadline_days: int | None
    min_ratings: int
    peer_min_shops: int
    sales_window_days: int
    refunds_reduce_sales: bool
    tier_quantiles: tuple[Fraction, ...]
    shop_shares: tuple[Fraction, ...]
    traffic_shares: tuple[Fraction, ...]
    sold_window_days: int
    zero_payment_published: str
    zero_payment_published_days: int
    zero_payment_no_sale_days: int
    slow_days: int

    def shown(self) -> Json:
        """Return the set in the form of an answer."""
        return {"name": self.name, "version": self.version}


def rules_from(name: str, version: int, fields: Mapping[str, Any]) -> Rules:
    """Read a set as `PUT /v1/rules/{name}` takes it, without checking bounds."""
    return Rules(
        name=name,
        version=version,
        rating_window_days=fields["rating_window_days"],
        ratings_per_buyer_month=fields["ratings_per_buyer_month"],
        rating_deadline_days=fields["rating_deadline_days"],
        min_ratings=fields["min_ratings"],
        peer_min_shops=fields["peer_min_shops"],
        sales_window_days=fields["sales_window_days"],
        refunds_reduce_sales=fields["refunds_reduce_sales"],
        tier_quantiles=tuple(map(Fraction, fields["tier_quantiles"])),
        shop_shares=tuple(map(Fraction, fields["band_shares"]["shops"])),
        traffic_shares=tuple(map(Fraction, fields["band_shares"]["traffic"])),
        sold_window_days=fields["sold_window_days"],
        zero_payment_published=fields["zero_payment"]["published"],
        zero_payment_published_days=fields["zero_payment"]["published_days"],
        zero_payment_no_sale_days=fields["zero_payment"]["no_sale_days"],
        slow_days=fields["slow_days"],
    )
