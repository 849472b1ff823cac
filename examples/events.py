"""Events as the service takes them, and the lines in which they are sent."""

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


def event(type_: str, shop_id: str, source: str, key: object, *, time: str, data: Json) -> Json:
    """Return the event of a thing that is known by `key` where it comes from."""
    return {
        "specversion": "1.0",
        # Any id will do: the ids in `data` tell facts apart, and `revision` their versions.
        "id": f"{type_} {key} {data.get('revision', 0)}",
        "source": source,
        "type": type_,
        "subject": shop_id,
        "time": time,
        "data": data,
    }


def order_retraction(shop_id: str, source: str, order_id: str, edited: str) -> Json:
    """Return the event by which an order is as if it had never been paid."""
    identity = {"order_id": order_id}
    data = {"type": "order.paid", "identity": identity, "revision": milliseconds(edited)}
    return event("event.retracted", shop_id, source, order_id, time=edited, data=data)


def milliseconds(instant: str) -> int:
    """Return an instant as milliseconds since 1970: the revision of an edit at that instant."""
    return round(datetime.fromisoformat(instant).timestamp() * 1000)


def arguments(*names: str) -> list[str]:
    """Return the arguments of the command line; end unless they fit."""
    if len(sys.argv) != 1 + len(names):
        sys.exit(f"Expected the arguments {' '.join(names)}, and an export as the standard input")
    return sys.argv[1:]


def read_records() -> list[Json]:
    """Return the objects of an export: an array, or one object as webhooks send it."""
    export = json.load(sys.stdin)
    return export if isinstance(export, list) else [export]


def print_lines(events: Iterable[Json]) -> None:
    """Print events as NDJSON."""
    for each in events:
        print(json.dumps(each, ensure_ascii=False))
