"""The least that Litestar can do for one path parameter, under the server settings of the service.

Run with the port as the only argument.
"""

import sys
from typing import Any

from litestar import Litestar, Response, get
from litestar.params import FromPath

from shopdsr.server import http_server
from shopdsr.settings import Settings

_ANSWER = b'{"shop_id":"shop-1"}'


@get("/v1/shops/{shop_id:str}/nothing")
async def nothing(shop_id: FromPath[str]) -> Response[bytes]:  # noqa: ARG001
    """Answer without looking at anything."""
    return Response(_ANSWER, media_type="application/json")


@get("/readyz")
async def ready() -> Response[bytes]:
    """Tell that the worker serves."""
    return Response(b"{}", media_type="application/json")


def application() -> Litestar:
    """Two handlers and nothing else."""
    return Litestar([nothing, ready], openapi_config=None, logging_config=None)


def main() -> None:
    """Serve as `shopdsr serve` does, with one worker."""
    server: Any = http_server(Settings(port=int(sys.argv[1]), workers=1), "127.0.0.1")
    server.target = "benchmarks.empty:application"
    server.serve()


if __name__ == "__main__":
    main()
