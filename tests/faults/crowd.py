"""Client processes under way together."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.faults.stream import Json, batch
from tests.harness.processes import wait_until
from tests.harness.server import REPOSITORY

TIMEOUT_S = 120


@dataclass(frozen=True)
class Model:
    """What clients know: batches acknowledged, and batches of which nothing is known."""

    acknowledged: list[list[Json]]
    unknown: list[list[Json]]

    @property
    def events(self) -> int:
        """Events acknowledged."""
        return sum(len(events) for events in self.acknowledged)


class Crowd:
    """Several clients; their events lie before `start`."""

    def __init__(self, url: str, key: str, seed: int, *, clients: int = 2) -> None:
        self.start = datetime.now(UTC)
        self.seed = seed
        self._to = {"url": url, "key": key}
        self._clients = clients
        self._processes: list[subprocess.Popen[str]] = []
        self._last_lines: dict[int, str] = {}
        self._threads: list[threading.Thread] = []
        self.models: list[dict[str, Any]] = []

    def go(self, connections: int = 4, timeout_s: float = 60.0) -> None:
        """Start the clients."""
        for number in range(self._clients):
            orders = {
                **self._to,
                "client": number,
                "connections": connections,
                "timeout_s": timeout_s,
                "seed": self.seed,
                "start": self.start.isoformat(),
            }
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.sender", json.dumps(orders)],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            listener = threading.Thread(target=self._listen, args=(number, process), daemon=True)
            listener.start()
            self._processes.append(process)
            self._threads.append(listener)

    def _listen(self, number: int, process: "subprocess.Popen[str]") -> None:
        assert process.stdout
        for line in process.stdout:
            self._last_lines[number] = line

    @property
    def acknowledged(self) -> int:
        """Events acknowledged so far, as last reported."""
        return sum(
            int(line) for line in list(self._last_lines.values()) if not line.startswith("{")
        )

    def until_more(self, events: int, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until so many more events are acknowledged."""
        before = self.acknowledged
        wait_until(lambda: self.acknowledged >= before + events, timeout_s, f"{events} more events")

    def finish(self) -> Model:
        """Let the clients finish what is under way, and take what they know."""
        for process in self._processes:
            assert process.stdin
            process.stdin.close()
        for number, process in enumerate(self._processes):
            process.wait(TIMEOUT_S)
            self._threads[number].join(TIMEOUT_S)
            self.models.append(json.loads(self._last_lines[number]))
        drawn = [
            (model["client"], kind, serial)
            for model in self.models
            for kind in ("acknowledged", "abandoned")
            for serial in model[kind]
        ]
        known: dict[str, list[list[Json]]] = {"acknowledged": [], "abandoned": []}
        for client, kind, serial in drawn:
            known[kind].append(batch(self.start, self.seed, client, serial))
        return Model(known["acknowledged"], known["abandoned"])

    @property
    def surprises(self) -> list[str]:
        """Answers that should never be."""
        return [surprise for model in self.models for surprise in model["surprises"]]

    @property
    def slowest_s(self) -> float:
        """The longest wait for an answer."""
        return max((float(model["slowest_s"]) for model in self.models), default=0.0)

    def answers(self) -> dict[str, int]:
        """Return how often each status was answered."""
        counts: dict[str, int] = {}
        for model in self.models:
            for status, count in model["answers"].items():
                counts[status] = counts.get(status, 0) + count
        return dict(sorted(counts.items()))

    def end(self) -> None:
        """Leave no process behind."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait(TIMEOUT_S)
        for thread in self._threads:
            thread.join(TIMEOUT_S)
        for process in self._processes:
            for stream in (process.stdin, process.stdout):
                assert stream
                stream.close()


@contextmanager
def crowd(url: str, key: str, seed: int, *, clients: int = 2) -> Iterator[Crowd]:
    """Make clients for the block, not yet started."""
    clients_of_row = Crowd(url, key, seed, clients=clients)
    try:
        yield clients_of_row
    finally:
        clients_of_row.end()
