"""Sales of a window, and the level they reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference.arithmetic import (
    SCORE_DIGITS,
    Window,
    currency_digits,
    day_of,
    minor_units,
    money,
    percent_or_null,
    rounded,
    window_ending,
)
from tests.reference.facts import ShopFacts
from tests.reference.peers import Group, Snapshot, percentile, percentile_disc
from tests.reference.rules import Json, Rules

_BANDS = ("bottom", "waist", "top")
_SHARE_DIGITS = 6


@dataclass(frozen=True)
class Cuts:
    """The six amounts at which the levels 2 to 7 begin, and where they come from."""

    amounts: tuple[int, ...]
    source: str
    as_of: date | None

    def level(self, sales: int) -> int:
        """Return the level that an amount reaches."""
        return 1 + sum(cut <= sales for cut in self.amounts)


def paid_in(facts: ShopFacts, window: Window, zone: ZoneInfo) -> int:
    """Return the amount paid in the window, in minor units."""
    return sum(order.paid for order in facts.orders if day_of(order.time, zone) in window)


def sales_as_of(facts: ShopFacts, as_of: date, rules: Rules, zone: ZoneInfo) -> int:
    """Return the sales that decide the tier, in minor units."""
    window = window_ending(as_of, rules.sales_window_days)
    paid = paid_in(facts, window, zone)
    if not rules.refunds_reduce_sales:
        return paid
    refunded = sum(refund.amount for refund in facts.refunds if day_of(refund.time, zone) in window)
    return max(0, paid - refunded)


def find_cuts(
    ladder: Mapping[str, Any] | None, snapshot: Snapshot | None, group_key: Group, rules: Rules
) -> Cuts | None:
    """Return the tenant's ladder, else the quantiles of enough peers' sales."""
    currency = group_key[2]
    if ladder is not None and ladder["currency"] == currency:
        digits = currency_digits(currency)
        amounts = [minor_units(text, digits) for text in ladder["amounts"]]
        return Cuts(tuple(amount for amount in amounts if amount is not None), "amounts", None)
    group = {} if snapshot is None else snapshot.sales.get(group_key, {})
    if snapshot is None or len(group) < rules.peer_min_shops:
        return None
    values = list(group.values())
    quantiles = (percentile_disc(values, share) + 1 for share in rules.tier_quantiles)
    return Cuts(tuple(quantiles), "quantiles", snapshot.as_of)


def band_of(level: int) -> str:
    """Return the band of a level: 1 and 2, 3 to 5, 6 and 7."""
    return _BANDS[(level > 2) + (level > 5)]


def tier_block(sales: int, cuts: Cuts | None, currency: str, window: Window) -> Json:
    """Return the tier in the form of a scorecard."""
    level = None if cuts is None else cuts.level(sales)
    return {
        "status": "no_ladder" if cuts is None else "ok",
        "level": level,
        "band": None if level is None else band_of(level),
        "sales": money(sales, currency),
        "currency": currency,
        "window": window.shown(),
    }


def next_and_floor(sales: int, cuts: Cuts | None, currency: str) -> Json:
    """Return the cut above and the cut below."""
    if cuts is None:
        return {"next": None, "floor": None}
    above = min((cut for cut in cuts.amounts if cut > sales), default=None)
    level = cuts.level(sales)
    below = None if level == 1 else cuts.amounts[level - 2]
    return {
        "next": None
        if above is None
        else {
            "level": cuts.level(above),
            "amount": money(above, currency),
            "gap": money(above - sales, currency),
        },
        "floor": None
        if below is None
        else {"amount": money(below, currency), "margin": money(sales - below, currency)},
    }


def shares(level: int | None, rules: Rules) -> Json | None:
    """Return the shares that the rules give the level's band."""
    if level is None:
        return None
    band = _BANDS.index(band_of(level))
    shops, traffic = rules.shop_shares[band], rules.traffic_shares[band]
    return {
        "shops": rounded(shops, _SHARE_DIGITS),
        "traffic": rounded(traffic, _SHARE_DIGITS),
        "relative_traffic": rounded(traffic / shops, SCORE_DIGITS) if shops else None,
        "verified": False,
    }


def sales_percentile(
    snapshot: Snapshot | None, group_key: Group, shop_id: str, rules: Rules
) -> float | None:
    """Return the percentile of the shop's sales, or None among too few peers."""
    group = {} if snapshot is None else snapshot.sales.get(group_key, {})
    if len(group) < rules.peer_min_shops:
        return None
    return percent_or_null(percentile(group, shop_id))


def shown_sales(amounts: Sequence[int], currency: str) -> list[str]:
    """Return amounts as money."""
    return [money(amount, currency) for amount in amounts]
