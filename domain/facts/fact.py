"""Facts: events admitted for a shop, in the form in which they are stored.

A fact is what its event said, with instants, minor units and the shop's days in place of texts.
Two facts of one identity are the same fact if they are equal, else they contradict each other.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

from domain import days
from domain.errors import EventRefused
from domain.events import Envelope
from domain.rules import Rules
from domain.shops import minor_units

Identity: TypeAlias = Hashable
"""The type of a fact, its shop's key and its ids: over all facts of all types."""
Key: TypeAlias = tuple[Any, ...]
"""A shop's key, then the ids of an aggregate or of a fact."""


class KnownShop(msgspec.Struct, frozen=True):
    """What recording a shop's events must know of it."""

    shop_key: int
    currency: str
    time_zone: str
    rules: Rules


class Fact(msgspec.Struct, frozen=True, gc=False):
    """Something that happened in a shop; its fields are the columns of its table, in order."""

    shop_key: int


Admit: TypeAlias = Callable[[Any, KnownShop, datetime], Fact]
"""Makes the fact that an event states of a shop; the instant is the last that it may carry."""


@dataclass(frozen=True, eq=False)
class FactKind:
    """A type of fact: its table, the events that state it, and the columns of its ids.

    `identity` tells it from other facts of its shop, `aggregate` names what it is a fact of. Some
    tables hold more of a fact than it says itself: `beside`.
    """

    fact: type[Fact]
    table: str
    identity: tuple[str, ...]
    aggregate: tuple[str, ...]
    events: Mapping[type[Envelope], Admit]
    beside: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> list[str]:
        """Return the columns of a fact, in the order of its fields."""
        return [field.name for field in msgspec.structs.fields(self.fact)]

    @cached_property
    def identify(self) -> Callable[[Fact], Identity]:
        """Return the function that gives the identity of a fact of this type."""
        return attrgetter("__class__", "shop_key", *self.identity)

    @cached_property
    def identity_key(self) -> Callable[[Fact], Key]:
        """Return the function that gives the columns of the identity of a fact."""
        return attrgetter("shop_key", *self.identity)

    @cached_property
    def aggregate_key(self) -> Callable[[Fact], Key]:
        """Return the function that gives the key of the aggregate of a fact."""
        return attrgetter("shop_key", *self.aggregate)


def instant(sent: datetime, last: datetime, pointer: str = "/time") -> datetime:
    """Return the instant in UTC: those of other offsets take ten times as long to compare.

    Raises EventRefused `time_out_of_range`.
    """
    try:
        in_utc = sent.astimezone(UTC)
        if days.FIRST_INSTANT <= in_utc <= last:
            return in_utc
    except OverflowError:
        pass
    raise EventRefused(
        "time_out_of_range",
        pointer,
        "Expected an instant from 2000-01-01T00:00Z to ten minutes past now",
    )


def amount_of(amount: str, shop: KnownShop, pointer: str) -> int:
    """Return an amount in minor units of the shop's currency; raises EventRefused `invalid`."""
    try:
        return minor_units(amount, shop.currency)
    except ValueError as error:
        raise EventRefused("invalid", pointer, str(error)) from None
