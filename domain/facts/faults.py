"""Faults of events that only their shop and the clock show, all of them.

An admission stops at the first, which is all that most events cost.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

import msgspec

from domain.errors import ERRORS_MAX, EventRefused, FieldError
from domain.events import Amount, Instant
from domain.facts.fact import KnownShop, admit_instant, check_currency, convert_amount


def every_error(
    first: Sequence[FieldError], event: msgspec.Struct, shop: KnownShop | None, last: datetime
) -> list[FieldError]:
    """Return the first errors of an event and all others, at most `ERRORS_MAX`.

    `last` is the last instant that the event may carry. Without a shop amounts are not looked at.
    """
    others = islice(_faults(event, None, "", shop, last), ERRORS_MAX)
    every = {error.pointer: error for error in (*first, *others)}
    return list(every.values())[:ERRORS_MAX]


def _faults(
    value: object, shape: Any, pointer: str, shop: KnownShop | None, last: datetime
) -> Iterator[FieldError]:
    if isinstance(value, msgspec.Struct):
        for name, of_member in _members(type(value)):
            yield from _faults(getattr(value, name), of_member, f"{pointer}/{name}", shop, last)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, None, f"{pointer}/{index}", shop, last)
    elif value is None:
        return
    elif shape in (Instant, Instant | None):
        yield from _fault(admit_instant, value, last, pointer)
    elif shop is not None and shape in (Amount, Amount | None):
        yield from _fault(convert_amount, shop, value, pointer)
    elif shop is not None and pointer == "/data/currency":
        yield from _fault(check_currency, shop, value)


@cache
def _members(kind: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    return [(field.name, field.type) for field in msgspec.structs.fields(kind)]


def _fault(check: Callable[..., object], *values: object) -> list[FieldError]:
    try:
        check(*values)
    except EventRefused as refusal:
        return refusal.errors
    return []
