"""Connections are cut, slow, silent or too many."""

import asyncio
import random
import time
from contextlib import AbstractContextManager, suppress
from itertools import count

import httpx

from tests.faults.crowd import Model
from tests.faults.figures import Figures, Form
from tests.faults.stage import WORKERS, Stage, stage
from tests.faults.stream import batch, encoded, post
from tests.harness.client import BATCH
from tests.harness.postgres import Cluster
from tests.harness.processes import wait_until
from tests.harness.raw_socket import raw_headers, request_bytes

ACQUIRE_MS, STATEMENT_MS = 1_500, 3_000
DELAY_S = 0.1  # each way
POOL, SMALL_POOL = 10, 4
SETTINGS = {"acquire_timeout_ms": ACQUIRE_MS, "statement_timeout_ms": STATEMENT_MS}
WAIT_S_MAX = (2 * ACQUIRE_MS + STATEMENT_MS) / 1000 + 1.0
DEADLINE_S = 2 * WAIT_S_MAX + 4.0
"""Checking the key and doing the work each wait so long at most; the rest is slack."""


def acknowledgement_lost(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Lose the acknowledgements of commits, on both sides of the service."""
    with _stage(cluster, form, "acknowledgement lost", control) as on:
        on.clients.go()
        database, service = on.to_database, on.to_service
        half = form.lost_answers // 2
        within_s = 60 + form.lost_answers
        database.cut_commits = service.cut_answers = 0.25
        wait_until(lambda: database.commits_cut >= half, within_s, "so many commits are cut")
        database.cut_commits = 0.0
        wait_until(lambda: service.answers_cut >= half, within_s, "so many answers are cut")
        service.cut_answers = 0.0
        database.cut_anywhere, service.cut_anywhere = 0.02, 0.1
        wait_until(lambda: database.pieces_cut >= half // 5, within_s, "so many pieces are cut")
        database.cut_anywhere = 0.0
        wait_until(lambda: service.pieces_cut >= half // 5, within_s, "so many pieces are cut")
        on.check()
        on.figures.faults = on.to_database.cuts + on.to_service.cuts
        on.figures.counts["acknowledgements cut"] = database.commits_cut + service.answers_cut
        on.figures.notes.append(
            f"{on.to_database.commits_cut} commits and {on.to_service.answers_cut} answers cut, "
            f"{on.to_database.pieces_cut + on.to_service.pieces_cut} cut anywhere"
        )
        note_answers(on)
        return on.figures


def half_open(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Make the way to the database slow, then silent with open sockets."""
    with _stage(cluster, form, "slow and half-open sockets", control) as on:
        on.clients.go()
        on.clients.until_more(50)
        for _ in range(form.outages):
            on.to_database.delay_s = DELAY_S
            on.clients.until_more(1)
            on.to_database.delay_s = 0.0
            on.clients.until_more(50)
            on.to_database.frozen = True
            wait_until(
                lambda: on.service.get_status("/readyz", timeout_s=DEADLINE_S) == 503,
                30,
                "not ready: 503",
            )
            refused = asyncio.run(statuses(on, 8))
            on.figures.claim(set(refused) == {503}, f"while silent: {refused}")
            on.figures.claim(
                on.service.get_status("/livez", timeout_s=1.0) == 200,
                "/livez is false while silent",
            )
            on.figures.faults += 1
            on.to_database.frozen = False
            on.figures.ready_s.append(on.service.wait_until_ready())
            on.clients.until_more(50)
        left = _connections(on)
        on.figures.claim(left <= POOL * WORKERS, f"{left} connections are held")
        on.check()
        note_answers(on)
        return on.figures


def pool_exhausted(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Run hundreds of clients on a pool of four, and a database 200 ms away."""
    with _stage(cluster, form, "pool exhausted, slow database", control, pool=SMALL_POOL) as on:
        on.clients.go(4)
        on.clients.until_more(50)
        before = on.service.memory_mib()
        on.to_database.delay_s = DELAY_S
        tally, sent = asyncio.run(_press(on, form.clients, form.stopped_s + 2))
        on.figures.faults = form.clients
        growth = on.service.memory_mib() - before
        on.to_database.delay_s = 0.0
        started = time.monotonic()
        wait_until(lambda: asyncio.run(statuses(on, 1)) == [200], 10, "a read is answered")
        on.figures.ready_s.append(time.monotonic() - started)
        on.figures.claim(
            set(tally.statuses) <= {200, 503}, f"other answers than 200 and 503: {tally.statuses}"
        )
        on.figures.claim(tally.slowest_s <= DEADLINE_S, f"an answer took {tally.slowest_s:.1f} s")
        on.figures.claim(growth < 100, f"memory grew by {growth:.0f} MiB")
        on.figures.claim(on.figures.ready_s[0] < 1, f"recovery took {on.figures.ready_s[0]:.1f} s")
        on.heal()
        model = on.clients.finish()
        on.check_against(
            Model(model.acknowledged + sent.acknowledged, model.unknown + sent.unknown)
        )
        on.figures.notes.append(
            f"{form.clients} clients answered {tally.statuses}, slowest {tally.slowest_s:.1f} s, "
            f"memory grew by {growth:.0f} MiB"
        )
        return on.figures


def cancelled(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Hang up requests in flight, at any byte and any moment."""
    with _stage(cluster, form, "cancelled requests", control, pool=SMALL_POOL) as on:
        on.clients.go(4)
        sent = asyncio.run(_hang_up(on, form.cancelled))
        on.figures.faults = form.cancelled
        on.clients.until_more(100)
        model = on.clients.finish()
        wait_until(
            lambda: not _connections(on, "and state <> 'idle'"), 15, "no transaction is left open"
        )
        left = _connections(on)
        on.figures.claim(left <= SMALL_POOL * WORKERS, f"{left} connections are held")
        slots = asyncio.run(statuses(on, SMALL_POOL * WORKERS * 2))
        on.figures.claim(set(slots) == {200}, f"afterwards: {slots}")
        on.check_against(Model(model.acknowledged, model.unknown + sent))
        on.figures.notes.append(f"{left} connections to the database are left, none in use")
        return on.figures


def _stage(
    cluster: Cluster, form: Form, row: str, control: str, pool: int = POOL
) -> AbstractContextManager[Stage]:
    return stage(
        cluster,
        form,
        row,
        control=control,
        settings={**SETTINGS, "pool_connections": pool},
    )


def _connections(on: Stage, of_these: str = "") -> int:
    """Return how many connections to the database the service has."""
    query = (
        "select count(*) from pg_stat_activity where datname = current_database() "
        f"and application_name = 'shopdsr' {of_these}"
    )
    [[count]] = on.cluster.sql(query, url=on.url)
    return int(count)


def note_answers(on: Stage) -> None:
    """Note the answers, and that none came after the deadline."""
    slowest = on.clients.slowest_s
    on.figures.claim(slowest <= DEADLINE_S, f"an answer took {slowest:.1f} s")
    on.figures.notes.append(f"answers {on.clients.answers()}, slowest {slowest:.1f} s")


async def statuses(on: Stage, count: int) -> list[int]:
    """Return the statuses of simultaneous reads, each on a connection of its own."""
    requests = (status(on, "GET", "/v1/shops/shop-0/scorecard") for _ in range(count))
    return list(await asyncio.gather(*requests))


async def status(on: Stage, method: str, path: str, body: bytes = b"") -> int:
    """Return the status of a request on its own connection, 0 for none in time."""
    headers = {"content-type": BATCH} if body else {}
    async with on.client(DEADLINE_S) as client:
        try:
            return (await client.request(method, path, content=body, headers=headers)).status_code
        except httpx.TransportError:
            return 0


class _Tally:
    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.slowest_s = 0.0

    def add(self, answer: httpx.Response | None, seconds: float) -> None:
        status = 0 if answer is None else answer.status_code
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.slowest_s = max(self.slowest_s, seconds)


async def _press(on: Stage, clients: int, seconds: float) -> tuple[_Tally, Model]:
    """Read and write from many clients at once, without a pause."""
    tally, sent = _Tally(), Model([], [])
    end = time.monotonic() + seconds

    async def press(number: int) -> None:
        async with on.client(DEADLINE_S * 2) as client:
            for serial in count():
                started = time.monotonic()
                if started >= end:
                    break
                answer = None
                events = (
                    [] if number % 3 else batch(on.clients.start, on.form.seed, number + 10, serial)
                )
                with suppress(httpx.TransportError):
                    if events:
                        answer = await post(client, encoded(events))
                    else:
                        answer = await client.get(f"/v1/shops/shop-{number % 4}/scorecard")
                tally.add(answer, time.monotonic() - started)
                if events:
                    stored = answer is not None and answer.status_code == 200
                    (sent.acknowledged if stored else sent.unknown).append(events)

    await asyncio.gather(*(press(number) for number in range(clients)))
    return tally, sent


async def _hang_up(on: Stage, count: int) -> list[list[dict[str, object]]]:
    """Send requests and hang up; return the batches that may have been stored."""
    rng = random.Random(on.form.seed)
    sent = []
    at_once = asyncio.Semaphore(16)

    async def hang_up(number: int) -> None:
        async with at_once:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", on.service.port)
            except OSError:
                return
            if number % 2:
                events = batch(on.clients.start, on.form.seed, 99, number)
                sent.append(events)
                headers = raw_headers(on.key, BATCH)
                whole = request_bytes("POST", "/v1/events", headers, encoded(events))
            else:
                path = f"/v1/shops/shop-{number % 4}/dsr"
                whole = request_bytes("GET", path, raw_headers(on.key))
            writer.write(whole if number % 3 else whole[: rng.randrange(len(whole))])
            await asyncio.sleep(rng.choice((0, 0, 0.001, 0.005, 0.02)))
            writer.transport.abort()

    await asyncio.gather(*(hang_up(number) for number in range(count)))
    return sent
