"""Whether the service lives and can serve, and what it measures."""

import msgspec
from litestar import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.context import Call, context
from api.operations import Operation, operation
from api.wire import reply
from domain.errors import Unavailable


class Alive(msgspec.Struct, frozen=True):
    """The process runs."""

    status: str = "ok"


@operation(
    "GET",
    "/livez",
    Operation(name="getLive", summary="The process runs", scope=None, answers={200: Alive}),
)
async def livez(request: Call) -> Response[bytes]:
    """Answers without asking anything."""
    return reply(Alive())


@operation(
    "GET",
    "/readyz",
    Operation(
        name="getReady",
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
        name="getMetrics",
        summary="Figures for Prometheus",
        scope=None,
        answers={200: str},
        media_type="text/plain",
    ),
)
async def metrics(request: Call) -> Response[bytes]:
    """Counters of this process."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
