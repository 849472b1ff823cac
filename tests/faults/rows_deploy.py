"""A new release is put in place of the running one: SIGTERM under load, then another start."""

import asyncio
import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field

from tests.faults.caller import Caller, NoAnswer, read_answer, request
from tests.faults.cluster import Cluster
from tests.faults.crowd import Model
from tests.faults.figures import Figures, Form
from tests.faults.serving import serving
from tests.faults.stage import Stage, stage
from tests.faults.stream import Json, batch, encoded

EXIT_WITHIN_S = 10.0
IN_FLIGHT, IDLE, HALF_SENT = 20, 30, 30
BATCHES_TOGETHER = 60


def deploy(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """What is in flight is answered, /readyz says no first, and the process ends in time."""
    with stage(cluster, form, "deploy", control=control) as on:
        on.clients.go()
        on.clients.until_more(200)
        with contextlib.ExitStack() as sockets:
            _useless(on, sockets)
            watch = _Watch(on)
            answered, sent = asyncio.run(_terminated(on, watch))
        on.figures.faults = 1
        on.figures.claim(
            watch.exit_s < EXIT_WITHIN_S, f"the process ended after {watch.exit_s:.1f} s"
        )
        on.figures.claim(
            answered == IN_FLIGHT, f"{answered} of {IN_FLIGHT} requests in flight were answered"
        )
        said = [status for status in watch.ready if status != 200]
        on.figures.claim(said[:1] == [503], f"/readyz said {watch.ready} before it was gone")
        on.figures.notes.append(f"gone after {watch.exit_s:.1f} s, /readyz said {watch.ready}")
        started = time.monotonic()
        with serving(on.url, control, on.service.port) as after:
            on.figures.ready_s.append(time.monotonic() - started)
            on.clients.until_more(200)
            model = on.clients.finish()
            stored = Model(model.acknowledged, model.unknown + sent)
            on.replaced_by(after).check_against(stored)
        return on.figures


@dataclass
class _Watch:
    """Asks /readyz on new connections until nobody answers any more; changes of its mind."""

    on: Stage
    ready: list[int] = field(default_factory=list)
    exit_s: float = 0.0

    def look(self) -> None:
        """See /readyz now."""
        status = self.on.service.ask("/readyz")
        if self.ready[-1:] != [status]:
            self.ready.append(status)

    def terminate(self) -> None:
        """SIGTERM, and look until the process is gone."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.is_set():
                self.look()

        looking = threading.Thread(target=watch)
        looking.start()
        self.exit_s = self.on.service.terminate()
        ended.set()
        looking.join()


def _useless(on: Stage, sockets: contextlib.ExitStack) -> None:
    """Open sockets that say nothing, or begin and never end."""
    body = request(on.key, "POST", "/v1/events", b"[" + b" " * 1000)
    for number in range(IDLE + HALF_SENT):
        peer = sockets.enter_context(socket.create_connection((on.service.host, on.service.port)))
        if number >= IDLE:
            peer.sendall(body[: 40 if number % 2 else -500])


async def _terminated(on: Stage, watch: _Watch) -> tuple[int, list[list[Json]]]:
    """End the service while large batches are in flight; how many of these were answered."""
    sent = [
        [
            event
            for serial in range(BATCHES_TOGETHER)
            for event in batch(on.clients.start, on.form.seed, 90 + number, serial)
        ]
        for number in range(IN_FLIGHT)
    ]
    streams = []
    for number, events in enumerate(sent):
        reader, writer = await asyncio.open_connection(on.service.host, on.service.port)
        writer.write(request(on.key, "POST", "/v1/events", encoded(events)))
        streams.append((number, reader, writer))
    await asyncio.gather(*(writer.drain() for _, _, writer in streams))
    # A request on each worker that was sent later and is answered: the others have been read.
    for _ in range(4):
        caller = Caller(on.service.host, on.service.port, on.key)
        with contextlib.suppress(NoAnswer):
            await caller.ask("GET", "/livez")
        caller.hang_up()
    ending = asyncio.create_task(asyncio.to_thread(watch.terminate))
    answered = 0
    for _, reader, writer in streams:
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            async with asyncio.timeout(60):
                answered += (await read_answer(reader)).status in {200, 503}
        writer.transport.abort()
    await ending
    return answered, sent
