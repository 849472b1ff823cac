"""The least that Litestar can do for one path parameter, under the server settings of the service.

Run with the port as the only argument.
"""

import sys

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from litestar import Litestar, Response, get
from litestar.params import FromPath

from shopdsr.cli import HEADER_TIMEOUT_MS

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
    Granian(
        "benchmarks.empty:application",
        factory=True,
        interface=Interfaces.ASGI,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        workers=1,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
