"""`shopdsr` as its operator runs it: commands and server processes under given settings."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx

from domain.keys import SCOPES
from tests.harness.client import TIMEOUT_S, get_status, open_async_client, open_client
from tests.harness.processes import (
    all_ended,
    children,
    command_line,
    free_port,
    memory_mib,
    wait_until,
)
from tests.harness.raw_socket import RawSocket

REPOSITORY = Path(__file__).parents[2]
SHOPDSR = Path(sys.executable).with_name("shopdsr")
COMMAND_TIMEOUT_S = 300.0
READY_TIMEOUT_S = 60.0
EVERYTHING = ",".join(SCOPES)
"""The scopes of a key that may do everything."""

_LISTENING = "0A"


class Shell:
    """Runs `shopdsr` under settings, and under no others of this process."""

    def __init__(self, environ: Mapping[str, str] | None = None, /, **settings: object) -> None:
        outside = {k: v for k, v in os.environ.items() if not k.startswith("SHOPDSR_")}
        given = {f"SHOPDSR_{name.upper()}": str(value) for name, value in settings.items()}
        self.environ = outside | given | dict(environ or {})

    def run(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [SHOPDSR, *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )

    def create_key(self, tenant: str = "acme", scopes: str = EVERYTHING) -> str:
        """Return a new key, made on the command line."""
        made = self.run("keys", "create", "--tenant", tenant, "--scopes", scopes)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def serve(self, port: int = 0) -> "Server":
        """Return a server, which its block starts."""
        return Server(self, port)


class Server:
    """`shopdsr serve` on a port of the loopback interface; killed at the end of its block."""

    def __init__(self, shell: Shell, port: int = 0) -> None:
        self.port = port or free_port()
        self.shell = Shell(shell.environ | {"SHOPDSR_PORT": str(self.port)})
        """Runs other commands beside the server, under its settings."""
        self.url = f"http://127.0.0.1:{self.port}"
        self._workers_max = int(shell.environ.get("SHOPDSR_WORKERS", "1"))
        self._folder = tempfile.TemporaryDirectory()
        self._stdout, self._stderr = (
            Path(self._folder.name, name) for name in ("stdout", "stderr")
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()

    def start(self) -> None:
        """Start the server, and wait until each of its workers serves."""
        with self._stdout.open("ab") as stdout, self._stderr.open("ab") as stderr:
            self.process = subprocess.Popen(
                [SHOPDSR, "serve"],
                env=self.shell.environ,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        self.wait_until_ready()
        self.wait_until_all_listen()

    def wait_until_ready(self, timeout_s: float = READY_TIMEOUT_S) -> float:
        """Wait until `/readyz` says yes, and return the seconds that took."""

        def is_ready() -> bool:
            assert self.process.poll() is None, f"the server has ended: {self.output}"
            return self.is_ready()

        return wait_until(is_ready, timeout_s, "the server is ready")

    def wait_until_all_listen(self) -> None:
        """Wait until every worker takes connections: each has a listening socket of its own."""
        port = f":{self.port:04X}"

        def all_listen() -> bool:
            rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
            listening = sum(row[1].endswith(port) and row[3] == _LISTENING for row in rows)
            return listening == self._workers_max

        wait_until(all_listen, READY_TIMEOUT_S, "every worker listens")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the server as its operator does, and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(READY_TIMEOUT_S)

    def terminate(self) -> None:
        """Send SIGTERM, and do not wait."""
        self.process.send_signal(signal.SIGTERM)

    def exit_seconds(self, timeout_s: float) -> float:
        """Wait for the end of every process, and return the seconds that took."""
        started = time.monotonic()
        workers = self.workers
        self.process.wait(timeout_s)
        remaining_s = timeout_s - (time.monotonic() - started)
        wait_until(lambda: all_ended(workers), remaining_s, "all workers have ended")
        return time.monotonic() - started

    def kill(self, *, workers: bool = True) -> None:
        """Kill the server with its workers, or leave these to end by themselves.

        An embedded Postgres lives on.
        """
        with contextlib.suppress(ProcessLookupError):
            if workers:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait(READY_TIMEOUT_S)
        wait_until(lambda: not self._listens(), READY_TIMEOUT_S, "the port is free")

    @property
    def workers(self) -> list[int]:
        """The processes that serve."""
        pids = children(self.process.pid)
        return [pid for pid in pids if "resource_tracker" not in command_line(pid)]

    @property
    def stderr(self) -> str:
        """Everything the server has written to stderr."""
        return self._stderr.read_text("utf-8", errors="replace")

    @property
    def output(self) -> str:
        """Everything the server has written."""
        return self._stdout.read_text("utf-8", errors="replace") + self.stderr

    def memory_mib(self) -> float:
        """Return the memory of the workers that is resident now."""
        return memory_mib(self.workers, "VmRSS")

    def peak_memory_mib(self) -> float:
        """Return the most memory that was resident since the start or since it was forgotten."""
        return memory_mib(self.workers, "VmHWM")

    def forget_peak_memory(self) -> None:
        """Let the peak begin anew from what is resident now."""
        for pid in self.workers:
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def is_ready(self) -> bool:
        """Return whether `/readyz` says yes."""
        return self.get_status("/readyz") == 200

    def get_status(self, path: str, key: str = "", timeout_s: float = 5.0) -> int:
        """Return the status of a GET on a new connection, or 0 without a response."""
        return get_status(self.url + path, key, timeout_s)

    def client(self, key: str = "", timeout_s: float = TIMEOUT_S) -> httpx.Client:
        """Return a client with a key."""
        return open_client(self.url, key, timeout_s)

    def async_client(self, key: str = "", timeout_s: float = TIMEOUT_S) -> httpx.AsyncClient:
        """Return a client with a key for an event loop."""
        return open_async_client(self.url, key, timeout_s)

    def tenant_client(self, tenant: str, scopes: str = EVERYTHING) -> httpx.Client:
        """Return a client with a new key of a tenant."""
        return self.client(self.shell.create_key(tenant, scopes))

    def raw_socket(self, timeout_s: float = 30.0) -> RawSocket:
        """Return a connection that sends any bytes."""
        return RawSocket(self.port, timeout_s)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def serve(database_url: str, **settings: object) -> Iterator[Server]:
    """Run a server on a database for the block."""
    with Shell(database_url=database_url, **settings).serve() as server:
        yield server
