"""Operations: each handler with what the contract says of it, in one place."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from domain.keys import Scope

Method = Literal["GET", "PUT", "POST", "DELETE"]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
"""As they are sent, with names in lower case."""


class Answer(NamedTuple):
    """What is sent back; without a media type there is no content."""

    status: int = 200
    body: bytes = b""
    media_type: str | None = None
    headers: Headers = ()


Handler = Callable[..., Awaitable[Answer]]
"""Takes the call, and the parameters of its path in their order."""


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


class Endpoint(NamedTuple):
    """Where an operation is served, and by what; HEAD goes with GET."""

    method: Method
    path: str
    spec: Operation
    fn: Handler


def operation(method: Method, path: str, spec: Operation) -> Callable[[Handler], Endpoint]:
    """Serve a handler at a path."""
    return lambda handler: Endpoint(method, path, spec, handler)
