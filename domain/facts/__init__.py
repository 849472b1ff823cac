"""What is reported of shops, one file for each aggregate of facts.

A file of an aggregate declares its events with their `data`, the facts that these state, and what
the facts add to a shop. From the list below follow decoding and admission, storing and reading,
recording and verifying.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from domain.facts import listings, orders, ratings
from domain.facts.aggregate import AffectedKeys, Aggregate, FactsByKind
from domain.facts.fact import Fact, FactKind, Identity, KnownShop

Event: TypeAlias = ratings.Event | orders.Event | listings.Event
"""Any event this service takes, told apart by `type`."""

AGGREGATES: Sequence[Aggregate] = (ratings.RATINGS, orders.ORDERS, listings.LISTINGS)
"""In the order in which they are recorded: listings change by what orders sell."""

KINDS: dict[type[Fact], FactKind] = {
    kind.fact: kind for aggregate in AGGREGATES for kind in aggregate.kinds
}

_ADMISSIONS = {
    event.__struct_config__.tag: admission
    for kind in KINDS.values()
    for event, admission in kind.admissions.items()
}


def admit(event: Event, shop: KnownShop, last: datetime) -> Fact:
    """Return the fact that an event states of a shop.

    `last` is the last instant it may carry. Raises EventRefused: `invalid` for an amount that
    does not fit the shop's currency, else `time_out_of_range`.
    """
    return _ADMISSIONS[event.__struct_config__.tag](event, shop, last)


def identity_of(fact: Fact) -> Identity:
    """Return what makes two deliveries the same fact, over all facts."""
    return KINDS[type(fact)].identity_of(fact)


def affected_keys(facts: Iterable[Fact]) -> AffectedKeys:
    """Return what must be known to record these facts."""
    affected = AffectedKeys()
    kinds = FactsByKind(facts)
    for aggregate in AGGREGATES:
        aggregate.affect(kinds, affected)
    return affected
