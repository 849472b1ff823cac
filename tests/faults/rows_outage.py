"""The database is there and does not serve: stopped, restarting, out of connections or disk."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import asyncpg

from tests.api.samples import envelope
from tests.faults import disk_space
from tests.faults.crowd import Model
from tests.faults.figures import Figures, Form
from tests.faults.rows_network import DEADLINE_S, SETTINGS, note_answers, status, statuses
from tests.faults.stage import Stage, stage
from tests.faults.stream import Json, encoded
from tests.harness.postgres import Cluster, start_cluster
from tests.harness.processes import wait_until

LIVE_WITHIN_S = 2.0
WHOLE_MIB = 400


def database_stopped(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Stop every process of Postgres with SIGSTOP, and let it go on later."""
    with stage(cluster, form, "database stopped", control=control, settings=SETTINGS) as on:
        on.clients.go()
        for _ in range(form.outages):
            on.clients.until_more(100)
            with cluster.frozen():
                # At least so long, whatever the answers take.
                end = time.monotonic() + form.stopped_s
                _refuses(on)
                _until(end)
            _heals(on)
        return _end(on)


def database_restarted(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Restart Postgres as its operator does, which breaks off every session."""
    with stage(cluster, form, "database restarted", control=control, settings=SETTINGS) as on:
        on.clients.go()
        for _ in range(form.outages):
            on.clients.until_more(100)
            cluster.restart()
            _heals(on)
        return _end(on)


def out_of_connections(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Hold every connection that Postgres has."""
    with stage(cluster, form, "out of connections", control=control, settings=SETTINGS) as on:
        on.clients.go()
        for _ in range(form.outages):
            on.clients.until_more(100)
            asyncio.run(_hold_all(on))
            _heals(on)
        return _end(on)


def disk_full(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Leave tables no disk space to grow, and give it back."""
    with (
        disk_space.small_disk() as disk,
        disk_space.tablespace(cluster, disk) as options,
        stage(
            cluster, form, "disk full", control=control, options=options, settings=SETTINGS
        ) as on,
    ):
        on.figures.notes.append(disk.what)
        return _without_space(on, lambda: disk_space.filled(disk, cluster, on.url))


def whole_disk_full(_: Cluster, form: Form, control: str = "") -> Figures:
    """Fill the disk with all of Postgres: it gives up, and is started again."""
    row = "disk full, with the log of writes"
    with disk_space.small_disk(WHOLE_MIB) as disk:
        if not disk.mounted:
            return Figures(row, notes=[f"left out: {disk.what}"])
        with (
            start_cluster(disk.folder / "data") as cluster,
            stage(cluster, form, row, control=control, settings=SETTINGS) as on,
        ):
            return _without_space(on, lambda: disk_space.filled(disk, cluster, on.url))


def _without_space(on: Stage, filled: Callable[[], AbstractContextManager[None]]) -> Figures:
    on.clients.go()
    sent: list[list[Json]] = []
    statuses: list[int] = []

    def refused() -> bool:
        # What fits into pages that are there already is still taken.
        events = _large(on, len(sent))
        sent.append(events)
        body = encoded(events)
        statuses.append(asyncio.run(status(on, "POST", "/v1/events", body)))
        return statuses[-1] == 503

    for _ in range(on.form.outages):
        on.clients.until_more(100)
        with filled():
            wait_until(refused, 120, "no disk space: answered 503")
            on.figures.faults += 1
            live = on.service.get_status("/livez", timeout_s=LIVE_WITHIN_S)
            on.figures.claim(live == 200, f"/livez answered {live}")
        started = time.monotonic()
        on.cluster.revive()
        on.service.wait_until_ready()
        wait_until(lambda: not refused(), 60, "with disk space again: stored")
        on.figures.ready_s.append(time.monotonic() - started)
        on.clients.until_more(100)
    on.figures.claim(set(statuses) <= {200, 503}, f"answered {set(statuses)}")
    on.heal()
    model = on.clients.finish()
    on.check_against(Model(model.acknowledged, model.unknown + sent))
    return _note_answers(on)


def _large(on: Stage, serial: int) -> list[Json]:
    """Return a batch that needs new pages."""
    time = (on.clients.start - timedelta(days=1, seconds=serial)).isoformat()
    names = [
        {"listing_id": f"large-{serial}-{number}", "title": "x" * 500} for number in range(200)
    ]
    return [envelope("listing.published", data, subject="shop-0", time=time) for data in names]


def _until(end: float) -> None:
    wait_until(lambda: time.monotonic() >= end, 60, "the time is up")


def _refuses(on: Stage) -> None:
    """Check a database that cannot serve: 503 in time, /livez true."""
    on.figures.faults += 1
    started = time.monotonic()
    refused = asyncio.run(statuses(on, 8))
    took = time.monotonic() - started
    on.figures.claim(set(refused) == {503}, f"while it cannot serve: {refused}")
    on.figures.claim(took <= DEADLINE_S, f"503 came after {took:.1f} s")
    ready = on.service.get_status("/readyz", timeout_s=DEADLINE_S)
    on.figures.claim(ready == 503, f"/readyz answered {ready}")
    live = on.service.get_status("/livez", timeout_s=LIVE_WITHIN_S)
    on.figures.claim(live == 200, f"/livez answered {live}")


def _heals(on: Stage) -> None:
    on.figures.ready_s.append(on.service.wait_until_ready())
    on.clients.until_more(100)


def _end(on: Stage) -> Figures:
    on.check()
    return _note_answers(on)


def _note_answers(on: Stage) -> Figures:
    on.figures.faults = on.figures.faults or on.form.outages
    note_answers(on)
    return on.figures


async def _hold_all(on: Stage) -> None:
    """Take every connection, those of the service too, and see what it answers."""
    held: list[asyncpg.Connection[asyncpg.Record]] = []
    theirs = "from pg_stat_activity where application_name = 'shopdsr'"

    async def take() -> None:
        # As the superuser, so that the last places are taken as well.
        with contextlib.suppress(asyncpg.TooManyConnectionsError):
            while True:
                held.append(await asyncpg.connect(on.cluster.url))

    try:
        held.append(await asyncpg.connect(on.cluster.url))
        async with asyncio.timeout(60):
            while await held[0].fetchval(f"select count(*) {theirs}") or len(held) < 50:
                await held[0].execute(f"select pg_terminate_backend(pid) {theirs}")
                await asyncio.gather(*(take() for _ in range(20)))
        await asyncio.to_thread(_refuses, on)
    finally:
        for connection in held:
            connection.terminate()
