"""Whether the service lives and can serve, what it measures, and what it promises: no key needed."""

from functools import cache
from html import escape
from importlib import resources
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.params import FromPath
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.context import Call, context
from api.operations import Operation, operation
from api.problems import KINDS
from api.wire import reply
from domain.errors import NotFound, Unavailable


class Alive(msgspec.Struct, frozen=True):
    """The process runs."""

    status: str = "ok"


@operation(
    "GET",
    "/livez",
    Operation(name="livez", summary="The process runs", scope=None, answers={200: Alive}),
)
async def livez(request: Call) -> Response[bytes]:
    """Answers without asking anything."""
    return reply(Alive())


@operation(
    "GET",
    "/readyz",
    Operation(
        name="readyz",
        summary="The database is reachable and its schema is current",
        scope=None,
        answers={200: Alive},
        problems=("unavailable",),
    ),
)
async def readyz(request: Call) -> Response[bytes]:
    """Whether requests can be served."""
    if not await context(request).health.is_ready():
        raise Unavailable
    return reply(Alive())


@operation(
    "GET",
    "/metrics",
    Operation(
        name="metrics",
        summary="Figures for Prometheus",
        scope=None,
        answers={200: str},
        media_type="text/plain",
    ),
)
async def metrics(request: Call) -> Response[bytes]:
    """Counters of this process."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@operation(
    "GET",
    "/openapi.json",
    Operation(
        name="openapi",
        summary="This contract",
        scope=None,
        answers={200: dict[str, Any]},
    ),
)
async def openapi(request: Call) -> Response[bytes]:
    """The contract as a file."""
    return Response(_contract(), media_type="application/json")


@operation(
    "GET",
    "/problems/{code:str}",
    Operation(
        name="problem",
        summary="What a kind of problem means",
        scope=None,
        answers={200: str},
        problems=("not_found",),
        media_type="text/html",
    ),
)
async def problem(request: Request[Any, Any, Any], code: FromPath[str]) -> Response[bytes]:
    """A page about the `type` of a problem."""
    kind = KINDS.get(code)
    if kind is None:
        raise NotFound("kind of problem", code)
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{escape(kind.title)}</title><h1>{escape(kind.title)}</h1>"
        f"<p>Status {kind.status}, code <code>{escape(code)}</code>.<p>{escape(kind.meaning)}</html>"
    )
    return Response(page.encode(), media_type="text/html; charset=utf-8")


@cache
def _contract() -> bytes:
    return (resources.files("openapi") / "v1.json").read_bytes()
