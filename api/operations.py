"""Operations: each handler with what the contract says of it, in one place."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
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


class Lines(msgspec.Struct, frozen=True):
    """A body of text with one JSON value a line."""

    item: Any


class Operation(msgspec.Struct, frozen=True):
    """What the contract says of one method and path, beside what their handler's docstring says.

    `query` is a Struct of query parameters; `bodies` maps media types to what they carry; `answers`
    maps status codes to types (None for no content); `headers` are those that a caller may send.
    `scope` None needs no key; a GET that needs one answers with an entity tag. `problems` are
    problem codes beyond those that follow from the rest: see `api.contract`.
    """

    name: str
    summary: str
    scope: Scope | None
    answers: Mapping[int, Any]
    query: type[msgspec.Struct] | None = None
    bodies: Mapping[str, Any] = {}
    body_required: bool = True
    problems: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"


def operation(method: Method, path: str, spec: Operation) -> Callable[[Handler], HTTPRouteHandler]:
    """Serve a handler at a path; HEAD goes with GET."""
    methods: list[Method] = ["GET", "HEAD"] if method == "GET" else [method]
    return route(path, http_method=methods, opt={"operation": spec}, status_code=200)


def allowing(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Handlers for OPTIONS, one for each path; they must be registered first.

    Litestar makes its own otherwise, which knows only the first handler of a path.
    """
    methods: defaultdict[str, set[str]] = defaultdict(lambda: {"OPTIONS"})
    for handler in handlers:
        for path in handler.paths:
            methods[path] |= handler.http_methods
    return [_allow(path, ", ".join(sorted(found))) for path, found in methods.items()]


def _allow(path: str, methods: str) -> HTTPRouteHandler:
    @route(path, http_method="OPTIONS", status_code=200)
    async def allow() -> Response[bytes]:
        return Response(b"", status_code=204, headers={"Allow": methods})

    return allow
