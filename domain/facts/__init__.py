"""Events and facts of shops, one file for each aggregate.

The file of an aggregate declares its events with their `data`, the facts that these state, and
what the facts add to a shop. Decoding, admission, storing, reading, recording and verifying follow
from the list below.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeAlias

from domain.events import Envelope
from domain.facts import listings, orders, ratings
from domain.facts.aggregate import AffectedKeys, Aggregate, FactsByKind
from domain.facts.fact import Fact, FactKind, Identity, KnownShop, Retraction, Version
from domain.facts.retraction import Retractions
from domain.steps import Steps

AGGREGATES: Sequence[Aggregate] = (ratings.RATINGS, orders.ORDERS, listings.LISTINGS)
"""In the order of recording: listings come after orders, whose sales change them."""

KINDS: dict[type[Fact], FactKind] = {
    kind.fact: kind for aggregate in AGGREGATES for kind in aggregate.kinds
}

_RETRACTIONS = Retractions(KINDS.values())


class EventRetracted(Envelope, frozen=True, gc=False, tag="event.retracted"):
    """A fact is as if it had never been, until a higher revision of it arrives."""

    data: _RETRACTIONS.data  # type: ignore[name-defined] # derived from the kinds


Event: TypeAlias = ratings.Event | orders.Event | listings.Event | EventRetracted
"""Any event of this service; `type` tells which."""

_ADMISSIONS = {
    event.__struct_config__.tag: admission
    for kind in KINDS.values()
    for event, admission in kind.admissions.items()
} | {EventRetracted.__struct_config__.tag: _RETRACTIONS.admit}

_IDENTITIES: dict[type, Callable[[Any], Identity]] = {
    kind.fact: kind.identity_of for kind in KINDS.values()
} | {Retraction: attrgetter("identity")}


def admit(event: Event, shop: KnownShop, last: datetime) -> Version:
    """Return the version of a fact that an event of a shop states.

    `last` is the last instant that the event may carry. Raises EventRefused: `invalid` for an
    amount that does not fit the shop's currency, else `time_out_of_range`.
    """
    return _ADMISSIONS[event.__struct_config__.tag](event, shop, last)


def identity_of(version: Version) -> Identity:
    """Return the identity of a fact among the facts of all kinds."""
    return _IDENTITIES[type(version)](version)


def differences(version: Version, other: Version) -> list[str]:
    """Return the pointers of what differs between events that state these versions."""
    if isinstance(version, Retraction) or isinstance(other, Retraction):
        return []
    return KINDS[type(version)].differences(version, other)


def affected_keys(versions: Iterable[Version]) -> Steps[AffectedKeys]:
    """Compute the keys of everything that recording these versions must read.

    Facts that they replace must be recorded too: read the keys of these once they are known.
    """
    affected = AffectedKeys()
    kinds = FactsByKind(versions)
    for aggregate in AGGREGATES:
        yield from aggregate.affect(kinds, affected)
    return affected
