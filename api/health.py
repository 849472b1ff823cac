"""Whether the service lives and can serve, and what it measures."""

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.context import Call
from api.operations import Answer, Operation, operation
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
async def livez(request: Call) -> Answer:
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
async def readyz(request: Call) -> Answer:
    """Whether requests can be served."""
    if not await request.context.health.is_ready():
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
async def metrics(request: Call) -> Answer:
    """Counters of this process."""
    return Answer(200, generate_latest(), CONTENT_TYPE_LATEST)
