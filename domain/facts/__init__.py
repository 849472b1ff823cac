"""Events and facts of shops, one file for each aggregate.

The file of an aggregate declares its events with their `data`, the facts that these state, and
what the facts add to a shop. Decoding, admission, storing, reading, recording and verifying follow
from the list below.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from domain.facts import listings, orders, ratings
from domain.facts.aggregate import AffectedKeys, Aggregate, FactsByKind
from domain.facts.fact import Fact, FactKind, Identity, KnownShop

Event: TypeAlias = ratings.Event | orders.Event | listings.Event
"""Any event of this service; `type` tells which."""

AGGREGATES: Sequence[Aggregate] = (ratings.RATINGS, orders.ORDERS, listings.LISTINGS)
"""In the order of recording: listings come after orders, whose sales change them."""

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

    `last` is the last instant that the event may carry. Raises EventRefused: `invalid` for an
    amount that does not fit the shop's currency, else `time_out_of_range`.
    """
    return _ADMISSIONS[event.__struct_config__.tag](event, shop, last)


def identity_of(fact: Fact) -> Identity:
    """Return the identity of a fact among the facts of all kinds."""
    return KINDS[type(fact)].identity_of(fact)


def affected_keys(facts: Iterable[Fact]) -> AffectedKeys:
    """Return the keys of everything that recording these facts must read."""
    affected = AffectedKeys()
    kinds = FactsByKind(facts)
    for aggregate in AGGREGATES:
        aggregate.affect(kinds, affected)
    return affected
