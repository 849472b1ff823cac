"""Lists in pages: keyset cursors that hold the filters of the first page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from api.problems import bad_parameter
from domain.days import FIRST_INSTANT

Filters = TypeVar("Filters", bound=msgspec.Struct)
Key = TypeVar("Key", bound=tuple[Any, ...])
Item = TypeVar("Item")

_LAST_INSTANT = datetime(9999, 12, 31, tzinfo=UTC)


class _Place(msgspec.Struct, frozen=True):
    list: str
    filters: dict[str, Any]
    after: msgspec.Raw


def resume(cursor: str | None, filters: Filters, key: type[Key]) -> tuple[Filters, Key | None]:
    """Return the first page's filters, and the sort key of the last item.

    The type of `filters` names the list; None stands for one that is not given. Raises Problem
    `bad_parameter` for a cursor of another list, or with other filters.
    """
    if cursor is None:
        return filters, None
    try:
        place = msgspec.json.decode(_unpadded(cursor), type=_Place)
        first = msgspec.convert(place.filters, type(filters))
        after = msgspec.json.decode(place.after, type=key)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise bad_parameter("cursor", "Expected a cursor that this list gave") from None
    instants = [part for part in after if isinstance(part, datetime)]
    if not all(FIRST_INSTANT <= instant <= _LAST_INSTANT for instant in instants):
        raise bad_parameter("cursor", "Expected a cursor that this list gave")
    if place.list != type(filters).__name__:
        raise bad_parameter("cursor", "Expected a cursor of this list")
    for name, value in msgspec.structs.asdict(filters).items():
        if value is not None and value != getattr(first, name):
            raise bad_parameter(name, "Expected the filters of the first page, or none")
    return first, after


def cut_page(
    items: Sequence[Item],
    limit: int,
    filters: msgspec.Struct,
    key: Callable[[Item], tuple[object, ...]],
) -> tuple[list[Item], str | None]:
    """Return the first `limit` items and the cursor behind them, null where no more follow.

    `key` returns the sort key of an item.
    """
    shown = list(items[:limit])
    if len(items) <= limit:
        return shown, None
    after = msgspec.Raw(msgspec.json.encode(key(shown[-1])))
    place = _Place(type(filters).__name__, msgspec.to_builtins(filters), after)
    return shown, urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _unpadded(cursor: str) -> bytes:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
