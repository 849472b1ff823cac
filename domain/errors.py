"""Refusals: exceptions of the domain with typed fields, independent of HTTP."""

from typing import Final, Literal

import msgspec

EventCode = Literal[
    "too_large",
    "malformed",
    "invalid",
    "unknown_type",
    "unknown_shop",
    "time_out_of_range",
    "conflict",
]


class FieldError(msgspec.Struct, frozen=True):
    """An error in a body: its place (a JSON pointer), and what was expected."""

    pointer: str
    detail: str


ERRORS_MAX: Final = 100
"""Most errors that are listed of one event, shop or request."""


class Refusal(Exception):
    """A request that is understood and will not be carried out."""


class EventRefused(Refusal):
    """One event is not stored."""

    def __init__(self, code: EventCode, pointer: str, detail: str) -> None:
        super().__init__(code, pointer, detail)
        self.code: EventCode = code
        self.errors = [FieldError(pointer, detail)]


class NotFound(Refusal):
    """The named thing does not exist, or not for this caller."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(what, name)
        self.what, self.name = what, name


class UnknownRules(Refusal):
    """No set of rules, built in or the tenant's, has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class BuiltInRules(Refusal):
    """A built-in set of rules is read-only."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class ShopImmutable(Refusal):
    """The currency or time zone of a shop with events stays as it is."""

    def __init__(self, shop_id: str, fields: list[str]) -> None:
        super().__init__(shop_id, fields)
        self.shop_id, self.fields = shop_id, fields


class TooManyStored(Refusal):
    """A tenant has as many definitions of a kind as it may have."""

    def __init__(self, what: str, count_max: int) -> None:
        super().__init__(what, count_max)
        self.what, self.count_max = what, count_max


class RulesChanged(Refusal):
    """A shop came under other rules between two reads of it: read it again from the start."""


class Unavailable(Refusal):
    """Storage cannot serve now; the same request may be sent again later."""
