"""What each worker process of the server runs."""

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

import msgspec
import structlog
from litestar import Litestar

from api.ports import Ports
from infra.embedded import EmbeddedPostgresError
from infra.postgres.causes import cause_of
from shopdsr.app import create_app, open_ports
from shopdsr.database import database_url
from shopdsr.draining import Draining
from shopdsr.log import configure_log
from shopdsr.schedule import scheduled
from shopdsr.settings import read_settings

GARBAGE_THRESHOLDS = (100_000, 20, 10)
"""Batches make many objects that are gone by count; to look for cycles among them finds none."""


def clock() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def worker() -> Litestar:
    """Make the application under the settings of the environment.

    Each worker holds the embedded Postgres for itself, so it stays while any of them lives.
    """
    settings = read_settings()
    configure_log()
    threading.Thread(target=_end_with_server, args=(settings.drain_timeout_s,), daemon=True).start()

    @asynccontextmanager
    async def ports() -> AsyncIterator[Ports]:
        with logged_failure(), database_url(settings, create=False) as url:
            async with (
                open_ports(url, settings.pool, settings.limits, clock) as opened,
                scheduled(opened, settings.snapshot_interval_s),
            ):
                health = Draining(opened.health, settings.drain_notice_ms)
                health.listen()
                # What is there by now stays for good; the collector need not look at it again.
                gc.freeze()
                gc.set_threshold(*GARBAGE_THRESHOLDS)
                yield msgspec.structs.replace(opened, health=health)

    return create_app(ports, [*filter(None, settings.cors_origins.split(","))])


@contextmanager
def logged_failure() -> Iterator[None]:
    """Log why a worker cannot start or end as it should."""
    try:
        yield
    except Exception as error:
        explained = isinstance(error, EmbeddedPostgresError)
        cause = str(error) if explained else cause_of(error)
        structlog.get_logger().critical("worker failed", cause=cause, exc_info=error)
        raise


def _end_with_server(drain_timeout_s: int) -> None:
    """End this worker when the process that started it is gone.

    The server may be killed without a word; its workers would go on and keep the port from the
    next server. SIGINT frees the port at once, and no server is left to end a worker whose
    requests are not answered in time.
    """
    server = multiprocessing.parent_process()
    if server:
        server.join()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(drain_timeout_s)
        os.kill(os.getpid(), signal.SIGKILL)
