"""Sell-through: the share of the listings on sale that sold."""

from typing import Literal, NamedTuple

import msgspec

from domain import figures
from domain.days import Window


class SellThrough(msgspec.Struct, frozen=True):
    """The share of a shop's listings on sale that sold in the window.

    `unlisted_sold` counts what sold under an id that no event of a listing names.
    """

    status: Literal["ok", "none"]
    rate: float | None
    sold: int
    on_sale: int
    unlisted_sold: int
    window: Window


class SoldListings(NamedTuple):
    """How many listings are on sale, how many of these sold, and how many that are not listed."""

    on_sale: int
    sold: int
    unlisted_sold: int


def sell_through(on_sale: int, sold: int, unlisted_sold: int, window: Window) -> SellThrough:
    """Return the rate of a shop: `sold` of `on_sale` listings, 6 decimals."""
    return SellThrough(
        status="ok" if on_sale else "none",
        rate=figures.rounded_quotient(sold, on_sale, figures.RATE_DIGITS) if on_sale else None,
        sold=sold,
        on_sale=on_sale,
        unlisted_sold=unlisted_sold,
        window=window,
    )
