"""A server process as an operator starts it, and raw sockets to it."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

READY_WITHIN_S = 60.0
POLL_S = 0.02

Headers = dict[str, str]


class Server:
    """`shopdsr serve` on a database, its output kept in files; it is killed at the end."""

    def __init__(self, database_url: str, folder: Path, **settings: object) -> None:
        self.port = free_port()
        self.stdout, self.stderr = folder / "stdout", folder / "stderr"
        given = {name.upper(): str(value) for name, value in settings.items()}
        given |= {"DATABASE_URL": database_url, "PORT": str(self.port)}
        environ = {name: text for name, text in os.environ.items() if "SHOPDSR_" not in name}
        environ |= {f"SHOPDSR_{name}": text for name, text in given.items()}
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "shopdsr", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environ,
            )

    def __enter__(self) -> Self:
        try:
            within(READY_WITHIN_S, self._is_ready, "the server is ready")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[int]:
        """Processes that serve, by pid."""
        children = _children(self.process.pid)
        return [pid for pid in children if b"resource_tracker" not in _command(pid)]

    @property
    def output(self) -> str:
        """All it has printed and logged."""
        return self.stdout.read_text("utf-8") + self.stderr.read_text("utf-8")

    def rss_mib(self) -> float:
        """Memory of the workers that is resident now."""
        return sum(_status_kib(pid, "VmRSS") for pid in self.workers) / 1024

    def peak_mib(self) -> float:
        """The most memory that was resident since the start, or since it was forgotten."""
        return sum(_status_kib(pid, "VmHWM") for pid in self.workers) / 1024

    def forget_peak(self) -> None:
        """Let the peak begin anew from what is resident now."""
        for pid in self.workers:
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def client(self, key: str | None = None, timeout_s: float = 30.0) -> httpx.Client:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s)

    def connect(self) -> socket.socket:
        """A raw connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def terminate(self) -> None:
        """Send SIGTERM to the server, which tells its workers."""
        self.process.send_signal(signal.SIGTERM)

    def exited_within(self, seconds: float) -> float:
        """Wait for the end of every process; how long it took."""
        started = time.monotonic()
        workers = self.workers
        self.process.wait(seconds)
        left = seconds - (time.monotonic() - started)
        within(max(left, POLL_S), lambda: not any(map(_is_alive, workers)), "all workers are gone")
        return time.monotonic() - started

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the server has ended: {self.output}")
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _end(self) -> None:
        workers = self.workers if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        for pid in workers:
            if _is_alive(pid):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def served(database_url: str, folder: Path, **settings: object) -> Iterator[Server]:
    """A server that answers."""
    with Server(database_url, folder, **settings) as server:
        yield server


def within(seconds: float, holds: Callable[[], bool], what: str) -> float:
    """Wait until something holds; how long it took. Fails after so many seconds."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        select.select([], [], [], POLL_S)
    return time.monotonic() - started


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _status_kib(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise AssertionError(f"no {field}")


def _is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
