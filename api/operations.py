"""Declare what an operation needs beyond its signature: a scope, bodies, and its problems."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, TypeAlias

from litestar import route
from litestar.enums import HttpMethod
from litestar.types import AnyCallable

from domain.keys import Scope

JSON = "application/json"

BodyLimit: TypeAlias = Literal["event_bytes_max", "batch_bytes_max", "stream_bytes_max"]
"""The field of `Limits` that bounds a body."""

SMALL_JSON: Mapping[str, BodyLimit] = {JSON: "event_bytes_max"}
LARGE_JSON: Mapping[str, BodyLimit] = {JSON: "batch_bytes_max"}

get = partial(route, http_method=[HttpMethod.GET, HttpMethod.HEAD], status_code=200)
"""A handler of GET, and of HEAD with it."""


def operation(
    scope: Scope,
    *,
    tenant_wide: bool = False,
    bodies: Mapping[str, BodyLimit] | None = None,
    body_required: bool = True,
    headers: tuple[str, ...] = (),
    statuses: tuple[int, ...] = (),
    problems: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return `opt` and `security` of a handler that needs a key with a scope.

    One that is `tenant_wide` needs a key without a list of shops.

    `bodies` are the media types that the handler takes, each with its limit. The rest is what the
    contract adds to the signature: `headers` of the request, `statuses` where there are several,
    and the codes of `problems` that not every operation can meet.
    """
    opt = {
        "scope": scope,
        "tenant_wide": tenant_wide,
        "bodies": bodies or {},
        "body_required": body_required,
        "headers": headers,
        "statuses": statuses,
        "problems": problems,
    }
    return {"opt": opt, "security": [{"key": []}]}


def operation_id(fn: AnyCallable) -> str:
    """Return the name of an operation: that of its handler, `get_shop` as `getShop`."""
    first, *others = fn.__name__.split("_")
    return first + "".join(map(str.capitalize, others))
