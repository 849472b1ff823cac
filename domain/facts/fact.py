"""Facts: events admitted for a shop, in the form in which they are stored.

A fact holds the data of its event, with instants, minor units and the shop's days in place of
texts. Of facts with the same identity the one with the highest revision stands; a retraction is a
revision without content.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from operator import attrgetter, itemgetter
from typing import Any, TypeAlias, cast

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
    revision: int
    time: datetime
    day: date
    """The day of `time` in the shop's zone."""

    @property
    def erased(self) -> bool:
        """Return whether members of a buyer were erased; a kind that has such stores it."""
        return False


Identity: TypeAlias = tuple[Any, ...]
"""Kind of fact, shop key, and the columns that identify a fact of its kind."""


class Retraction(msgspec.Struct, frozen=True, gc=False):
    """A revision without content: the fact of this identity is as if it had never been.

    Where the fact is `erased`, the id that stands in for its buyer's is left for its return.
    """

    identity: Identity
    revision: int
    buyer_id: str | None = None
    erased: bool = False


Version: TypeAlias = Fact | Retraction
"""A revision of a fact."""

Admission: TypeAlias = Callable[[Any, KnownShop, datetime], Version]
"""Turns an event of a shop into a version, given the last instant that a fact may carry.

Raises EventRefused: `invalid` for an amount that does not fit the currency, else
`time_out_of_range`.
"""


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
        is_projected: bool = True,
        members: Mapping[str, str] | None = None,
        erased: tuple[str, ...] = (),
        erased_with: Mapping[type[Fact], str] | None = None,
    ) -> None:
        """Declare a kind.

        `identity` names the columns that, with the shop, make the primary key. `events` gives, for
        each event, the members of the fact that its type decides; all others are copied from its
        `data`, unless `admit` is given. `is_projected` tells whether a fact adds anything to its
        shop; where that depends on other facts, the aggregate says which must be read. `members`
        gives the member of `data` for each column that has another name. `erased` names the columns
        that are a buyer's own: `buyer_id`, which another id replaces, and texts, which are emptied.
        A kind without `buyer_id` is erased with facts of other kinds, by the column in which both
        name the same: `erased_with`.
        """
        self.fact = fact
        self.table = table
        self.identity = ("shop_key", *identity)
        self.columns = tuple(field.name for field in msgspec.structs.fields(fact))
        self.identity_of: Callable[[Fact], Identity] = attrgetter("__class__", *self.identity)
        self.key_of_row: Callable[[Sequence[Any]], Any] = itemgetter(
            *map(self.columns.index, self.identity)
        )
        """Returns the values of the identity in a stored row."""
        self._revision = self.columns.index("revision")
        self._day = self.columns.index("day")
        self.events = events
        self.admissions: dict[type[Envelope], Admission] = {
            event: admit or make_admission(event, fact, decided)
            for event, decided in events.items()
        }
        self.is_projected = is_projected
        self.erased = erased
        self.erased_with = erased_with or {}
        self._pointers = {"time": "/time"} | {
            column: f"/data/{member}"
            for column, member in {
                **_same_names(self.columns, events),
                **(members or {}),
            }.items()
        }

    def differences(self, fact: Fact, other: Fact) -> list[str]:
        """Return the pointers of what differs between events that state these facts."""
        pointers = (
            pointer
            for column, pointer in self._pointers.items()
            if getattr(fact, column) != getattr(other, column)
        )
        return list(dict.fromkeys(pointers))

    def row(self, version: Version) -> tuple[Any, ...]:
        """Return the stored row of a version; that of a retraction lacks all content."""
        if isinstance(version, Retraction):
            values = dict(zip(self.identity, version.identity[1:], strict=True))
            values |= {"revision": version.revision, "erased": version.erased}
            values |= {"buyer_id": version.buyer_id}
            return tuple(values.get(column) for column in self.columns)
        return msgspec.structs.astuple(version)

    def version(self, row: Sequence[Any]) -> Version:
        """Return the version that a stored row holds; that of a retraction has no day."""
        if row[self._day] is None:
            values = dict(zip(self.columns, row, strict=True))
            return Retraction(
                (self.fact, *self.key_of_row(row)),
                values["revision"],
                values.get("buyer_id"),
                values.get("erased", False),
            )
        return self.fact(*row)

    def keep_erased(self, version: Version, before: Version) -> Version:
        """Return a version without what was erased of the version before it."""
        left: dict[str, Any] = {column: getattr(before, column, None) for column in self.erased}
        if isinstance(version, Retraction):
            left = {"buyer_id": left.get("buyer_id")}
        return msgspec.structs.replace(version, erased=True, **left)


def _same_names(columns: Iterable[str], events: Iterable[type[Envelope]]) -> dict[str, str]:
    names = {field.name for event in events for field in msgspec.structs.fields(data_type(event))}
    return {column: column for column in columns if column in names}


def data_type(event: type[Envelope]) -> type[msgspec.Struct]:
    """Return the type of the `data` of an event."""
    [data] = (field.type for field in msgspec.structs.fields(event) if field.name == "data")
    return cast("type[msgspec.Struct]", data)


def make_admission(
    event_type: type[Envelope], fact_type: type[Fact], decided: Mapping[str, object]
) -> Admission:
    """Return an admission that copies members of `data` by name.

    Instants and amounts are converted; a `currency` is compared with the shop's and not stored.
    Members of the fact that `data` lacks must be `decided`.
    """
    types = {field.name: field.type for field in msgspec.structs.fields(data_type(event_type))}
    columns = [field.name for field in msgspec.structs.fields(fact_type)]
    copied = [name for name in columns if name in types and name != "revision"]
    if missing := set(columns) - {*Fact.__struct_fields__, "erased", *copied, *decided}:
        raise TypeError(f"{event_type.__name__} says nothing of {', '.join(sorted(missing))}")
    has_currency = "currency" in types
    if unused := types.keys() - {"currency", *columns}:
        raise TypeError(f"{fact_type.__name__} holds nothing of {', '.join(sorted(unused))}")
    amounts = [name for name in copied if types[name] in (Amount, Amount | None)]
    instants = [name for name in copied if types[name] in (Instant, Instant | None)]

    def admit(event: Any, shop: KnownShop, last: datetime) -> Fact:
        if has_currency:
            check_currency(shop, event.data.currency)
        values = {name: getattr(event.data, name) for name in copied}
        for name in amounts:
            if values[name] is not None:
                values[name] = convert_amount(shop, values[name], f"/data/{name}")
        time = admit_instant(event.time, last)
        for name in instants:
            if values[name] is not None:
                values[name] = admit_instant(values[name], last, f"/data/{name}")
        day = days.day_of(time, shop.time_zone)
        return fact_type(shop.shop_key, event.data.revision or 0, time, day, **values, **decided)

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


def check_currency(shop: KnownShop, currency: str | None) -> None:
    """Raise EventRefused for a currency other than the shop's."""
    if currency is not None and currency != shop.currency:
        expected = f"Expected {shop.currency}, the currency of the shop"
        raise EventRefused("invalid", "/data/currency", expected)


def convert_amount(shop: KnownShop, amount: str, pointer: str) -> int:
    """Return an amount in minor units of the shop's currency."""
    try:
        return minor_units(amount, shop.currency)
    except ValueError as error:
        raise EventRefused("invalid", pointer, str(error)) from None
