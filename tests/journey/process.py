"""A service as its operator runs it: the console script, its settings, signals and sockets."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Self

import httpx

SHOPDSR = Path(sys.executable).with_name("shopdsr")
PATIENCE_S = 60.0
_POLL_S = 0.02


class Service:
    """`shopdsr serve` on a free port of the loopback interface, under the given settings."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.port = _free_port()
        outside = {k: v for k, v in os.environ.items() if not k.startswith("SHOPDSR_")}
        self.environ = {**outside, **settings, "SHOPDSR_PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None
        self._open = contextlib.ExitStack()
        self._log = Path(self._open.enter_context(tempfile.TemporaryDirectory())) / "log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()
        self._open.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [SHOPDSR, "serve"],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._until(self.is_ready)

    def is_ready(self) -> bool:
        """Whether it says so."""
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return False

    def stop(self) -> int:
        """Ask it to end, as an operator would; its exit status."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        status = process.wait(PATIENCE_S)
        self._process = None
        return status

    def kill(self, *, workers: bool = True) -> None:
        """Kill the process, with its workers at once or leaving these to see it for themselves.

        An embedded Postgres lives on.
        """
        process = self._running()
        with contextlib.suppress(ProcessLookupError):
            if workers:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait(PATIENCE_S)
        self._process = None
        self._until(lambda: not self._listens())

    def said(self) -> str:
        """Everything it has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of `shopdsr` beside it."""
        return subprocess.run(
            [SHOPDSR, *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * 4,
            check=False,
        )

    @contextlib.contextmanager
    def client(
        self, tenant: str, scopes: str = "events:write,scores:read,admin"
    ) -> Iterator[httpx.Client]:
        """A client with a new key of a tenant, made on the command line."""
        made = self.command("keys", "create", "--tenant", tenant, "--scopes", scopes)
        assert made.returncode == 0, made.stderr
        [key] = made.stdout.splitlines()
        headers = {"authorization": f"Bearer {key}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S) as client:
            yield client

    def _until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert self._process is None or self._process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(_POLL_S)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
