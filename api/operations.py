"""Operations: each handler with what the contract says of it, in one place."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import Method

from domain.keys import Scope

Handler = Callable[..., Awaitable[Response[bytes]]]


class Beside(msgspec.Struct, frozen=True):
    """An answer that has the members of two Structs."""

    top: Any
    rest: Any


class Operation(msgspec.Struct, frozen=True):
    """What the contract says of one method and path.

    `query` is a Struct of query parameters; `bodies` maps media types to what they carry;
    `answers` maps status codes to types (None for no content); `problems` are problem codes
    beyond those that every operation can meet. `scope` None needs no key.
    """

    name: str
    summary: str
    scope: Scope | None
    answers: Mapping[int, Any]
    query: type[msgspec.Struct] | None = None
    bodies: Mapping[str, Any] = {}
    problems: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"


def operation(
    method: Method, path: str, spec: Operation
) -> Callable[[Handler], HTTPRouteHandler]:
    """Serve a handler at a path; HEAD goes with GET."""
    methods: list[Method] = ["GET", "HEAD"] if method == "GET" else [method]
    return route(path, http_method=methods, opt={"operation": spec}, status_code=200)
