"""Server processes: the service, the empty handler and the plain service, each with one worker."""

import http.client
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import processes
from benchmarks.clients import ROOT

SERVICE_PYTHON = os.environ.get("BENCH_PYTHON", sys.executable)
"""The interpreter of the service's own environment, without what only the benchmarks install."""

START_TIMEOUT_S = 60
_POLL_S = 0.01
_TIMEOUT_S = 120


class NotServing(Exception):
    """A server process is not ready in time, or refused what the measurement needs."""


class Server(msgspec.Struct, frozen=True):
    """A server that is ready; `worker` is the process that serves."""

    port: int
    pid: int
    worker: int
    ready_s: float

    def call(self, method: str, path: str, key: str, body: object = None) -> Any:
        """One request made outside of any measurement; the decoded answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT_S)
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body) if body else b""
        headers = {"Authorization": f"Bearer {key}"}
        if raw:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, raw or None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise NotServing(f"{method} {path} was answered {answer.status}: {text[:500]!r}")
        return msgspec.json.decode(text) if text else None


def service_environment(**settings: object) -> dict[str, str]:
    """The environment of the service with these settings and no others."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("SHOPDSR_")
    }
    given = {f"SHOPDSR_{name.upper()}": str(value) for name, value in settings.items()}
    return inherited | given


@contextmanager
def service(*, database_url: str = "", data_dir: Path | None = None) -> Iterator[Server]:
    """`shopdsr serve` on a database, or on the embedded one of a folder."""
    port = free_port()
    where = {"data_dir": data_dir} if data_dir else {"database_url": database_url}
    environment = service_environment(port=port, workers=1, **where)
    with _server([SERVICE_PYTHON, "-m", "shopdsr", "serve"], port, environment) as server:
        yield server


@contextmanager
def empty_handler() -> Iterator[Server]:
    """The empty Litestar handler."""
    port = free_port()
    command = [SERVICE_PYTHON, "-m", "benchmarks.empty", str(port)]
    with _server(command, port, dict(os.environ)) as server:
        yield server


@contextmanager
def plain_service(database_url: str, *, duplicates: str = "one_by_one") -> Iterator[Server]:
    """The plain service; see `benchmarks/plain/` for the two ways of meeting duplicates."""
    port = free_port()
    environment = dict(os.environ) | {
        "PLAIN_DATABASE_URL": database_url,
        "PLAIN_DUPLICATES": duplicates,
    }
    command = [sys.executable, "-m", "benchmarks.plain", str(port)]
    with _server(command, port, environment) as server:
        yield server


@contextmanager
def _server(command: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[Server]:
    begun = time.perf_counter()
    with processes.started(command, environment=environment, folder=ROOT) as process:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - begun > START_TIMEOUT_S:
                raise NotServing(f"{' '.join(command[1:])} does not become ready")
            time.sleep(_POLL_S)
        ready_s = time.perf_counter() - begun
        # Beside the worker there may be small processes that track resources.
        worker = max(
            [process.pid, *processes.children(process.pid)]
            if "benchmarks.plain" in command
            else processes.children(process.pid) or [process.pid],
            key=processes.memory_mib,
        )
        yield Server(port, process.pid, worker, ready_s)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
