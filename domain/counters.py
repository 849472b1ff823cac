"""Counters: what a day adds to a shop's figures, a line each.

The totals of a window are the sums of its days. `on_sale` and `sold` are changes from one day to
the next: summed over all days up to D they give the listings on sale as of D, and how many of these
sold in the sold window; so does `unlisted_sold` for listings that sold and that no event names yet.

Counters that every scorecard needs are columns of the stored totals, in the order of this list.
Further ones are rows by shop, day and counter: a new line here takes no migration.
"""

from typing import Literal, get_args

import msgspec

Dimension = Literal["description", "service", "logistics"]
DIMENSIONS: tuple[Dimension, ...] = ("description", "service", "logistics")
STARS = (1, 2, 3, 4, 5)

Unit = Literal["ratings", "minor units", "listings", "orders"]
WindowName = Literal["rating", "sales", "ever"]
"""The window of a shop's rules over which a counter is summed; `ever` is all days up to its end."""


class Counter(msgspec.Struct, frozen=True):
    """An integer for each day of a shop; `source` is the document and section that define it."""

    name: str
    unit: Unit
    window: WindowName
    meaning: str
    source: str
    is_column: bool = False


COUNTERS: tuple[Counter, ...] = (
    *(
        Counter(
            f"{dimension}_{stars}",
            "ratings",
            "rating",
            f"counted ratings of {stars} stars in {dimension}",
            "scoring.md 4",
            is_column=True,
        )
        for dimension in DIMENSIONS
        for stars in STARS
    ),
    Counter("late", "ratings", "rating", "given too late", "scoring.md 3", is_column=True),
    Counter("capped", "ratings", "rating", "over the cap", "scoring.md 3", is_column=True),
    Counter("removed", "ratings", "rating", "taken out", "scoring.md 3", is_column=True),
    Counter("paid", "minor units", "sales", "paid for orders", "scoring.md 6", is_column=True),
    Counter("refunded", "minor units", "sales", "given back", "scoring.md 6", is_column=True),
    Counter(
        "on_sale", "listings", "ever", "change in listings on sale", "scoring.md 7", is_column=True
    ),
    Counter(
        "sold", "listings", "ever", "change in listings that sold", "scoring.md 7", is_column=True
    ),
    Counter(
        "unlisted_sold",
        "listings",
        "ever",
        "change in sold listings that no event names yet",
        "scoring.md 7",
        is_column=True,
    ),
)

COLUMNS: tuple[Counter, ...] = tuple(counter for counter in COUNTERS if counter.is_column)
FIELDS: list[str] = [counter.name for counter in COLUMNS]
"""Names of the counters that are columns, in the order of their values in totals."""

PLACES: dict[str, int] = {name: place for place, name in enumerate(FIELDS)}
MONEY: list[str] = [counter.name for counter in COLUMNS if counter.unit == "minor units"]
ROWS: frozenset[str] = frozenset(counter.name for counter in COUNTERS if not counter.is_column)


def _adjacent_columns(window: WindowName) -> slice:
    places = [place for place, counter in enumerate(COLUMNS) if counter.window == window]
    return slice(places[0], places[-1] + 1)


COLUMNS_OF: dict[WindowName, slice] = {
    window: _adjacent_columns(window) for window in get_args(WindowName)
}
"""The slice of totals that holds the counters of each window."""
