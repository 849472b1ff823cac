"""Facts: events admitted for a shop, in the form in which they are stored.

A fact holds the data of its event, with instants, minor units and the shop's days in place of
texts. Two facts with the same identity are duplicates if they are equal, else in conflict.
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
    """The fields of a shop that recording its events needs."""

    shop_key: int
    currency: str
    time_zone: str
    rules: Rules


class Fact(msgspec.Struct, frozen=True, gc=False):
    """Something that happened in a shop; its fields have the names of the stored columns."""

    shop_key: int


Identity: TypeAlias = tuple[Any, ...]
"""Kind of fact, shop key, and the columns that identify a fact of its kind."""

Admission: TypeAlias = Callable[[Any, KnownShop, datetime], Fact]
"""Turns an event of a shop into a fact, given the last instant that a fact may carry.

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

        `identity` names the columns that, with the shop, make the primary key. `events` gives, for
        each event, the members of the fact that its type decides; all others are copied from its
        `data`, unless `admit` is given. `projected` says what a fact adds to its shop: nothing
        (`never`), a part that depends on no other fact (`alone`), or a part that depends on all
        facts of its aggregate, which must then be read (`together`).
        """
        self.fact = fact
        self.table = table
        self.identity = ("shop_key", *identity)
        self.columns = tuple(field.name for field in msgspec.structs.fields(fact))
        self.identity_of: Callable[[Fact], Identity] = attrgetter("__class__", *self.identity)
        self.admissions: dict[type[Envelope], Admission] = {
            event: admit or make_admission(event, fact, decided)
            for event, decided in events.items()
        }
        self.projected = projected


def make_admission(
    event_type: type[Envelope], fact_type: type[Fact], decided: Mapping[str, object]
) -> Admission:
    """Return an admission that copies members of `data` by name.

    Instants and amounts are converted. Members of the fact that `data` lacks must be `decided`.
    """
    data = {field.name: field.type for field in msgspec.structs.fields(event_type)}["data"]
    types = {field.name: field.type for field in msgspec.structs.fields(data)}
    columns = [field.name for field in msgspec.structs.fields(fact_type)]
    copied = [name for name in columns if name in types]
    if missing := set(columns) - {"shop_key", "time", "day", *copied, *decided}:
        raise TypeError(f"{event_type.__name__} says nothing of {', '.join(sorted(missing))}")
    if unused := types.keys() - set(columns):
        raise TypeError(f"{fact_type.__name__} holds nothing of {', '.join(sorted(unused))}")
    amounts = [name for name in copied if types[name] in (Amount, Amount | None)]
    instants = [name for name in copied if types[name] in (Instant, Instant | None)]
    has_day = "day" in columns

    def admit(event: Any, shop: KnownShop, last: datetime) -> Fact:
        values = {name: getattr(event.data, name) for name in copied}
        for name in amounts:
            if values[name] is not None:
                values[name] = convert_amount(shop, values[name], f"/data/{name}")
        values["time"] = time = admit_instant(event.time, last)
        for name in instants:
            if values[name] is not None:
                values[name] = admit_instant(values[name], last, f"/data/{name}")
        if has_day:
            values["day"] = days.day_of(time, shop.time_zone)
        return fact_type(shop.shop_key, **values, **decided)

    return admit


def admit_instant(sent: datetime, last: datetime, pointer: str = "/time") -> datetime:
    """Return an instant in UTC; raise EventRefused outside the admitted range."""
    try:
        # Comparing instants of other zones takes ten times as long.
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


def convert_amount(shop: KnownShop, amount: str, pointer: str) -> int:
    """Return an amount in minor units of the shop's currency."""
    try:
        return minor_units(amount, shop.currency)
    except ValueError as error:
        raise EventRefused("invalid", pointer, str(error)) from None
