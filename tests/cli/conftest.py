"""The command line as its users meet it: processes, their output and their exit status."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.embedded import throwaway_data_dir

PATIENCE_S = 60
POLL_S = 0.02


class Served:
    """A running `shopdsr serve`."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port

    def get(self, path: str, key: str = "") -> int:
        """The status of an answer."""
        return get(self.port, path, key)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal as a supervisor does: exit status, and what was said on stderr."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Exit status, and what was said on stderr."""
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said


class Shell:
    """Runs `shopdsr` under settings of its own."""

    def __init__(self, **settings: str) -> None:
        inherited = {n: v for n, v in os.environ.items() if not n.startswith("SHOPDSR_")}
        self.environ = inherited | settings

    def run(self, *args: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "shopdsr", *args],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def key(self, tenant: str = "acme", scopes: str = "events:write,scores:read,admin") -> str:
        """A new key."""
        made = self.run("keys", "create", "--tenant", tenant, "--scopes", scopes)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[Served]:
        """A server that answers, in a session of its own; it is killed if it was not ended."""
        port = port or free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "shopdsr", "serve"],
            env=self.environ | {"SHOPDSR_PORT": str(port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                wait_until_ready(port, process)
                yield Served(process, port)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def wait_until_ready(port: int, process: "subprocess.Popen[str] | None" = None) -> None:
    """Wait for a server to be ready; fail when it ends instead."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            if get(port, "/readyz") == 200:
                return
        except OSError:
            pass
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < give_up, "the server is not ready"
        time.sleep(POLL_S)


def get(port: int, path: str, key: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers: Mapping[str, str] = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def postgres_is_stopped(folder: Path) -> bool:
    """Whether the embedded server ended cleanly: it removes this file as its last act."""
    return not (folder / "postgres" / "postmaster.pid").exists()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """The data folder of the shared server."""
    with throwaway_data_dir() as made:
        yield made


@pytest.fixture(scope="session")
def served(folder: Path) -> Iterator[Served]:
    """A server that runs beside whatever command is tried."""
    with Shell(SHOPDSR_DATA_DIR=str(folder)).serve() as served:
        yield served
        assert served.end()[0] == 0
    assert postgres_is_stopped(folder)


@pytest.fixture
def shell(folder: Path, served: Served) -> Iterator[Shell]:
    """Commands on the folder of the shared server, which none of them may stop."""
    yield Shell(SHOPDSR_DATA_DIR=str(folder))
    assert served.get("/readyz") == 200


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """An empty data folder for one test."""
    with throwaway_data_dir() as made:
        yield made
