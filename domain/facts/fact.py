"""Facts: events admitted for a shop, in the form in which they are stored.

A fact is what its event said, with instants, minor units and the shop's days in place of texts.
Two facts of one identity are the same fact if they are equal, else they contradict each other.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal, TypeAlias

import msgspec

from domain import days
from domain.errors import EventRefused
from domain.events import Amount, Envelope, Instant
from domain.rules import Rules
from domain.shops import minor_units


class KnownShop(msgspec.Struct, frozen=True):
    """What recording a shop's events must know of it."""

    shop_key: int
    currency: str
    time_zone: str
    rules: Rules


class Fact(msgspec.Struct, frozen=True, gc=False):
    """Something that happened in a shop; its fields have the names of the stored columns."""

    shop_key: int


Identity: TypeAlias = tuple[Any, ...]
"""Kind of fact, shop key and the ids that tell a fact from all others of its kind."""

Admission: TypeAlias = Callable[[Any, KnownShop, datetime], Fact]
"""Turns a well-formed event of a shop into a fact; the last instant that a fact may carry.

Raises EventRefused: `invalid` for an amount that does not fit the currency, else
`time_out_of_range`.
"""

Projected: TypeAlias = Literal["never", "alone", "together"]


class FactKind:
    """A kind of fact: its table, its identity, and the events that state such a fact."""

    def __init__(
        self,
        fact: type[Fact],
        table: str,
        *,
        identity: tuple[str, ...],
        events: Mapping[type[Envelope], Mapping[str, object]],
        admit: Admission | None = None,
        projected: Projected = "alone",
    ) -> None:
        """Declare a kind.

        `identity` names the columns that, with the shop, make the primary key. `events` gives, by
        event, the members of the fact that its type alone decides; all others are copied from its
        `data`, unless the kind has an admission of its own. `projected` says what a fact adds to
        its shop: nothing, something of its own, or something that depends on the other facts of
        its aggregate, so that these must be known.
        """
        self.fact = fact
        self.table = table
        self.identity = ("shop_key", *identity)
        self.columns = tuple(field.name for field in msgspec.structs.fields(fact))
        self.identity_of: Callable[[Fact], Identity] = attrgetter("__class__", *self.identity)
        self.admissions: dict[type[Envelope], Admission] = {
            event: admit or copying(event, fact, decided) for event, decided in events.items()
        }
        self.projected = projected


def copying(
    event_type: type[Envelope], fact_type: type[Fact], decided: Mapping[str, object]
) -> Admission:
    """Make an admission that copies members of `data` by name, instants and amounts converted."""
    sent = {field.name: field.type for field in msgspec.structs.fields(event_type)}["data"]
    shapes = {field.name: field.type for field in msgspec.structs.fields(sent)}
    columns = [field.name for field in msgspec.structs.fields(fact_type)]
    copied = [name for name in columns if name in shapes]
    if missing := set(columns) - {"shop_key", "time", "day", *copied, *decided}:
        raise TypeError(f"{event_type.__name__} says nothing of {', '.join(sorted(missing))}")
    if lost := shapes.keys() - set(columns):
        raise TypeError(f"{fact_type.__name__} holds nothing of {', '.join(sorted(lost))}")
    amounts = [name for name in copied if shapes[name] in (Amount, Amount | None)]
    instants = [name for name in copied if shapes[name] in (Instant, Instant | None)]
    has_day = "day" in columns

    def admit(event: Any, shop: KnownShop, last: datetime) -> Fact:
        values = {name: getattr(event.data, name) for name in copied}
        for name in amounts:
            if values[name] is not None:
                values[name] = amount_in(shop, values[name], f"/data/{name}")
        values["time"] = time = admitted_instant(event.time, last)
        for name in instants:
            if values[name] is not None:
                values[name] = admitted_instant(values[name], last, f"/data/{name}")
        if has_day:
            values["day"] = days.day_of(time, shop.time_zone)
        return fact_type(shop.shop_key, **values, **decided)

    return admit


def admitted_instant(sent: datetime, last: datetime, pointer: str = "/time") -> datetime:
    """Return an instant in UTC: others take ten times as long to compare."""
    try:
        instant = sent.astimezone(UTC)
        if days.FIRST_INSTANT <= instant <= last:
            return instant
    except OverflowError:
        pass
    raise EventRefused(
        "time_out_of_range",
        pointer,
        "Expected an instant from 2000-01-01T00:00Z to ten minutes past now",
    )


def amount_in(shop: KnownShop, amount: str, pointer: str) -> int:
    """Return an amount in minor units of the shop's currency."""
    try:
        return minor_units(amount, shop.currency)
    except ValueError as error:
        raise EventRefused("invalid", pointer, str(error)) from None
