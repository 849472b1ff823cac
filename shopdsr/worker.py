"""What each worker process of the server runs."""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
from litestar import Litestar

from api.ports import Ports
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
    threading.Thread(target=_end_with_server, daemon=True).start()

    @asynccontextmanager
    async def ports() -> AsyncIterator[Ports]:
        with database_url(settings) as url:
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

    return create_app(ports)


def _end_with_server() -> None:
    """End this worker as SIGTERM would, once the process that started the worker has ended.

    The parent may be killed; its workers would go on and hold the port.
    """
    server = multiprocessing.parent_process()
    if server:
        server.join()
        os.kill(os.getpid(), signal.SIGTERM)
