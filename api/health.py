"""Whether the service lives and can serve, and what it measures."""

import msgspec
from litestar import MediaType, Response, Router
from prometheus_client import CONTENT_TYPE_LATEST

from api.operations import get
from api.request import ApiRequest
from domain.errors import Unavailable


class Alive(msgspec.Struct, frozen=True):
    """The process runs."""

    status: str = "ok"


@get("/livez", summary="The process runs")
async def get_live() -> Alive:
    """Answer without any input or output."""
    return Alive()


@get(
    "/readyz",
    summary="The database is reachable and its schema is current",
    opt={"problems": ("unavailable",)},
)
async def get_ready(request: ApiRequest) -> Alive:
    """Tell whether requests can be served."""
    if not await request.ports.health.is_ready():
        raise Unavailable
    return Alive()


@get("/metrics", summary="Figures for Prometheus", media_type=MediaType.TEXT)
async def get_metrics(request: ApiRequest) -> Response[str]:
    """Return the counters of this process."""
    return Response(
        request.metrics.exposition().decode(),
        headers={"content-type": CONTENT_TYPE_LATEST},
    )


router = Router("/", tags=["health"], route_handlers=[get_live, get_ready, get_metrics])
