"""The registry of facts: every aggregate, listed once.

From it follow the events that are taken, their admission, tables, what is read and recounted.
"""

from datetime import datetime
from typing import TypeAlias

from domain.facts import listings, orders, ratings
from domain.facts.aggregate import Aggregate
from domain.facts.fact import Admit, Fact, FactKind, KnownShop

Event: TypeAlias = ratings.Event | orders.Event | listings.Event
"""Any event this service takes, told apart by `type`."""

AGGREGATES: tuple[Aggregate, ...] = (
    ratings.AGGREGATE,
    orders.AGGREGATE,
    listings.AGGREGATE,
    listings.STOCK,
)
"""In the order of their recording: what sells is known before the listings that sold."""

KINDS: tuple[FactKind, ...] = tuple(kind for each in AGGREGATES for kind in each.kinds)
KIND_OF: dict[type[Fact], FactKind] = {kind.fact: kind for kind in KINDS}
AGGREGATE_OF: dict[type[Fact], Aggregate] = {
    kind.fact: each for each in AGGREGATES for kind in each.kinds
}

_ADMIT: dict[object, Admit] = {
    event.__struct_config__.tag: admit for kind in KINDS for event, admit in kind.events.items()
}
"""By type, not by class: events of a batch are of classes made from these."""


def admit(event: Event, shop: KnownShop, last: datetime) -> Fact:
    """Return the fact that a well-formed event states; `last` is the last instant it may be.

    Raises EventRefused: `invalid` for an amount that does not fit the shop's currency, else
    `time_out_of_range`.
    """
    return _ADMIT[event.__struct_config__.tag](event, shop, last)
