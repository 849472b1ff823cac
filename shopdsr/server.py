"""The HTTP server: HTTP/1.1 on a port, in worker processes, within bounds that hold for anyone."""

import resource
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from shopdsr.log import FirstLine
from shopdsr.settings import Settings
from shopdsr.supervision import SupervisingServer

OTHER_FILES: Final = 256
"""Most files that a worker opens besides connections of clients."""

# Granian would log everything on stdout. Only its errors are logged, on stderr, and without the
# messages of exceptions.
LOG_TO_STDERR: Final[dict[str, Any]] = {
    "formatters": {
        "first_line": {"()": FirstLine},
    },
    "handlers": {
        name: {"class": "logging.StreamHandler", "formatter": "first_line"}
        for name in ("console", "access")
    },
}


def http_server(settings: Settings, address: str) -> AbstractServer[Any]:
    """Return a server that is ready to serve."""
    return SupervisingServer(
        "shopdsr.worker:worker",
        factory=True,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        address=address,
        port=settings.port,
        workers=settings.workers,
        # Before it knows the version of HTTP it waits for ever: only one is spoken.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.header_timeout_ms,
            max_buffer_size=settings.header_bytes,
        ),
        websockets=False,
        backpressure=_connections(settings),
        log_level=LogLevels.error,
        log_dictconfig=LOG_TO_STDERR,
        workers_kill_timeout=settings.drain_timeout_s,
    )


def _connections(settings: Settings) -> int:
    """Return the connections of a worker that its limit of open files allows."""
    needed = settings.connections + settings.pool_connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = [limit for limit in (needed, hard) if limit != resource.RLIM_INFINITY]
    files = min(limits)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(1, settings.connections - (needed - files))
