"""Scheduled work of every worker; each piece may be done twice without harm."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic

import structlog

from api.ports import Ports
from api.snapshots import yesterday

TICK_S = 60


@asynccontextmanager
async def scheduled(ports: Ports, snapshot_interval_s: int) -> AsyncIterator[None]:
    """Keep stored totals and peer snapshots up to date while this is open."""
    task = asyncio.create_task(_tick(ports, snapshot_interval_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _tick(ports: Ports, snapshot_interval_s: int) -> None:
    snapshots_at = monotonic() + snapshot_interval_s
    while True:
        await _try("rebuild", ports.rules.rebuild)
        await _try("roll", lambda: ports.scores.roll(ports.clock()))
        await _try("removal", ports.shops.remove_deleted)
        if monotonic() >= snapshots_at:
            snapshots_at += snapshot_interval_s
            await _try("snapshots", lambda: _take_snapshots(ports, snapshot_interval_s))
        await asyncio.sleep(TICK_S)


async def _take_snapshots(ports: Ports, interval_s: int) -> None:
    now = ports.clock()
    # Where another worker has taken a snapshot lately, half an interval is soon enough.
    await ports.peers.take_snapshots(
        yesterday(now), now, unless_since=now - timedelta(seconds=interval_s / 2)
    )


async def _try(name: str, work: Callable[[], Awaitable[object]]) -> None:
    try:
        await work()
    except Exception as error:  # noqa: BLE001 - what fails now is tried again at the next tick
        structlog.get_logger().warning("not kept up", work=name, error=type(error).__name__)
