"""Good requests of every operation of the contract, to be spoilt one place at a time."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from domain.rules import BUILT_IN
from tests.api.samples import event
from tests.contract.validation import document

METHODS = ("get", "put", "post", "delete")
LATELY = "2026-01-15"
EVER = "2999-01-01T00:00:00Z"

# Values that make a request good; a parameter that is new to the contract must be added here.
PARAMETERS: Mapping[str, str] = {
    "as_of": LATELY,
    "by": "2026-01-30",
    "category": "baby",
    "code": "invalid",
    "cursor": "",
    "days": "30",
    "dimension": "service",
    "end": LATELY,
    "key_id": "0123456789abcdef",
    "limit": "50",
    "marketplace": "taobao",
    "name": "own",
    "rules": "tmall",
    "shop_id": "s",
    "stars": "5",
    "start": "2026-01-01",
    "state": "counted",
    "target": "4.8",
    "view": "all",
    "window_days": "30",
}

SHOP = {
    "marketplace": "taobao",
    "category": "baby",
    "currency": "CNY",
    "time_zone": "Asia/Shanghai",
    "kind": "individual",
    "opened_on": "2019-05-01",
    "rules": "taobao",
}

LADDER = {"currency": "CNY", "amounts": ["1", "2", "3", "4", "5", "6"]}


class Operation(msgspec.Struct, frozen=True):
    """One operation as the contract tells it; `bodies` maps media types to good bodies."""

    name: str
    method: str
    path: str
    scope: str | None
    in_path: list[str]
    in_query: list[str]
    in_header: list[str]
    bodies: dict[str, bytes]

    def target(
        self,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> str:
        """Return a good path and query, with given parts, quoted already, in their place."""
        filled = {name: quote(PARAMETERS[name]) for name in self.in_path} | dict(path or {})
        target = self.path
        for name, value in filled.items():
            target = target.replace(f"{{{name}}}", value)
        good = {name: quote(PARAMETERS[name]) for name in self.in_query if PARAMETERS[name]}
        values = good | dict(query or {})
        return target + "?" * bool(values) + "&".join(f"{name}={values[name]}" for name in values)


def operations() -> list[Operation]:
    """Return every operation of the contract."""
    return [
        _operation(path, method, node)
        for path, item in document()["paths"].items()
        for method, node in item.items()
        if method in METHODS
    ]


def body_values(body: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value in a body, itself included."""
    yield path
    if isinstance(body, dict):
        for name, value in body.items():
            yield from body_values(value, (*path, name))
    elif isinstance(body, list):
        for index, value in enumerate(body[:1]):
            yield from body_values(value, (*path, index))


def replaced(body: Any, path: tuple[str | int, ...], value: bytes) -> bytes:
    """Return the JSON of a body in which raw bytes replace a value."""
    if not path:
        return value
    hole = "@hole@"
    copy = json.loads(json.dumps(body))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = hole
    return json.dumps(copy).encode().replace(f'"{hole}"'.encode(), value)


def _operation(path: str, method: str, node: dict[str, Any]) -> Operation:
    parameters = node.get("parameters", [])

    def named(where: str) -> list[str]:
        return [parameter["name"] for parameter in parameters if parameter["in"] == where]

    content = node.get("requestBody", {}).get("content", {})
    return Operation(
        name=node["operationId"],
        method=method.upper(),
        path=path,
        scope=node.get("x-scope"),
        in_path=named("path"),
        in_query=named("query"),
        in_header=named("header"),
        bodies={media_type: good_body(node["operationId"], media_type) for media_type in content},
    )


def good_body(operation: str, media_type: str) -> bytes:
    """Return a body that an operation takes."""
    review = event("review.posted", time=f"{LATELY}T12:00:00+08:00", data={"completed_at": None})
    body: object = {
        "postEvents": [review] if "batch" in media_type else review,
        "putShop": SHOP,
        "postShops": [{"shop_id": "s", **SHOP}],
        "putLadder": LADDER,
        "postKey": {"scopes": ["scores:read"], "shop_ids": ["s"], "expires_at": EVER},
        "putRules": rules(),
        "postPeerSnapshot": {"as_of": LATELY},
        "eraseBuyer": {"buyer_id": "b-1"},
        "queryScorecards": {"shop_ids": ["s"], "as_of": LATELY},
    }[operation]
    return json.dumps(body).encode()


def rules() -> dict[str, Any]:
    """Return a set of rules that fits."""
    fields: dict[str, Any] = msgspec.to_builtins(BUILT_IN["taobao"].rules)
    return fields
