"""A new release is put in place of the running one: SIGTERM under load, then another start."""

import contextlib
import threading
import time
from dataclasses import dataclass, field

from tests.faults.crowd import Model
from tests.faults.figures import Figures, Form
from tests.faults.stage import Stage, serving, stage
from tests.faults.stream import Json, batch, encoded
from tests.harness.client import BATCH
from tests.harness.postgres import Cluster
from tests.harness.raw_socket import raw_headers, request_bytes

EXIT_WITHIN_S = 10.0
EXIT_TIMEOUT_S = 60.0
IN_FLIGHT, IDLE, HALF_SENT = 20, 30, 30
BATCHES_TOGETHER = 60


def deploy(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """End the service under load: in-flight requests are answered, /readyz says no first."""
    with stage(cluster, form, "deploy", control=control) as on:
        on.clients.go()
        on.clients.until_more(200)
        with contextlib.ExitStack() as sockets:
            _useless(on, sockets)
            watch = _Watch(on)
            answered, sent = _terminate(on, watch, sockets)
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
        status = self.on.service.get_status("/readyz")
        if self.ready[-1:] != [status]:
            self.ready.append(status)

    def terminate(self) -> None:
        """Send SIGTERM, and look until the process is gone."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.is_set():
                self.look()

        looking = threading.Thread(target=watch)
        looking.start()
        self.on.service.terminate()
        self.exit_s = self.on.service.exit_seconds(EXIT_TIMEOUT_S)
        ended.set()
        looking.join()


def _useless(on: Stage, sockets: contextlib.ExitStack) -> None:
    """Open sockets that say nothing, or begin a request and never end it."""
    raw = request_bytes("POST", "/v1/events", raw_headers(on.key, BATCH), b"[" + b" " * 1000)
    for number in range(IDLE + HALF_SENT):
        connection = sockets.enter_context(on.service.raw_socket())
        half = raw[: 40 if number % 2 else -500]
        connection.send(half if number >= IDLE else b"")


def _terminate(
    on: Stage, watch: _Watch, sockets: contextlib.ExitStack
) -> tuple[int, list[list[Json]]]:
    """End the service with large batches in flight; return how many were answered."""
    sent = [
        [
            event
            for serial in range(BATCHES_TOGETHER)
            for event in batch(on.clients.start, on.form.seed, 90 + number, serial)
        ]
        for number in range(IN_FLIGHT)
    ]
    connections = []
    for events in sent:
        raw = request_bytes("POST", "/v1/events", raw_headers(on.key, BATCH), encoded(events))
        connection = sockets.enter_context(on.service.raw_socket(EXIT_TIMEOUT_S))
        connection.send(raw[:-1])
        connections.append((connection, raw[-1:]))
    # None is whole until all have come in, so that all are in flight together.
    for connection, last in connections:
        connection.send(last)
    # A request on each worker that was sent later and is answered: the others have been read.
    for _ in range(4):
        on.service.get_status("/livez")
    ending = threading.Thread(target=watch.terminate)
    ending.start()
    answered = 0
    for connection, _ in connections:
        with contextlib.suppress(OSError):
            answered += connection.read_response().status in {200, 503}
    ending.join()
    return answered, sent
