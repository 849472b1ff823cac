"""Processes of a run, which listen on the loopback address and are measured as trees."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.client import Failed, Request, raw_request, send
from tests.harness.processes import free_port, memory_mib, wait_until

ROOT = Path(__file__).resolve().parents[1]
_START_TIMEOUT_S, _STOP_TIMEOUT_S = 120, 60
_READY = Request(raw_request("GET /readyz"))
_GRANIAN = "--interface asgi --loop uvloop --http 1 --no-ws --workers 1 --log-level error"
_UVICORN = "--loop uvloop --http httptools --no-access-log --log-level warning"


class Process(NamedTuple):
    """A process that runs, with its children."""

    pid: int
    port: int = 0
    ready_s: float = 0.0

    def cpu_s(self) -> float:
        """Return the processor time used so far, user and system, by the whole tree."""
        used_s = 0.0
        for process in self._tree():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                # Children that have ended are counted with their parent.
                used_s += times.user + times.system + times.children_user + times.children_system
        return used_s

    def memory_mib(self, field: str = "VmRSS") -> float:
        """Return the memory of the largest child: resident, or at its peak (`VmHWM`)."""
        return max(memory_mib([child.pid], field) for child in self._tree()[1:])

    def _tree(self) -> list[psutil.Process]:
        process = psutil.Process(self.pid)
        return [process, *process.children(recursive=True)]


class Checkout(NamedTuple):
    """A checkout of the service and the interpreter of its environment."""

    name: str
    folder: Path
    python: Path

    def run(self, *arguments: str, **settings: object) -> str:
        """Run a command of the service and return its output."""
        ended = subprocess.run(
            [self.python, "-m", "shopdsr", *arguments],
            cwd=self.folder,
            env=_environment(settings),
            check=False,
            capture_output=True,
            text=True,
        )
        if ended.returncode:
            raise Failed(f"shopdsr {' '.join(arguments)}: {ended.stdout}{ended.stderr}")
        return ended.stdout.strip()

    def key(self, url: str) -> str:
        """Create a key that may do everything."""
        scopes = "events:write,scores:read,admin"
        return self.run("keys", "create", "--tenant", "bench", "--scopes", scopes, database_url=url)

    def version(self) -> str:
        """Return the commit of the checkout."""
        command = ("git", "-C", self.folder, "describe", "--always", "--dirty")
        described = subprocess.run(command, check=False, capture_output=True, text=True)
        return described.stdout.strip() or "unknown"

    def serve(self, workers: int = 1, **settings: object) -> AbstractContextManager[Process]:
        """Run `shopdsr serve` on the database or the data folder that the settings name."""
        # Nothing waits for the notice that a service gives before it ends.
        own = {"port": (port := free_port()), "workers": workers, "drain_notice_ms": 0}
        environment = _environment({**own, **settings})
        return _server(self.python, "shopdsr serve", port, environment, self.folder)

    def serve_empty(self) -> AbstractContextManager[Process]:
        """Run the empty handler in the environment of the service, served as that is."""
        command = f"granian benchmarks.empty:application {_GRANIAN} --port {(port := free_port())}"
        return _server(self.python, command, port, _environment({}), ROOT)


def serve_plain(url: str) -> AbstractContextManager[Process]:
    """Run the plain service."""
    command = f"uvicorn benchmarks.plain:app {_UVICORN} --port {(port := free_port())}"
    environment = _environment({}) | {"PLAIN_DATABASE_URL": url}
    return _server(Path(sys.executable), command, port, environment, ROOT)


@contextmanager
def _server(
    python: Path, module: str, port: int, environment: dict[str, str], folder: Path
) -> Iterator[Process]:
    begun = time.perf_counter()
    process = subprocess.Popen(
        [python, "-m", *module.split()],
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )

    def is_ready() -> bool:
        if process.poll() is not None:
            raise Failed(f"{module} has ended")
        with suppress(OSError, EOFError, Failed):
            return bool(send(port, [_READY]))
        return False

    try:
        wait_until(is_ready, _START_TIMEOUT_S, f"{module} is ready")
        yield Process(process.pid, port, time.perf_counter() - begun)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        finally:
            process.kill()


def _environment(settings: dict[str, object]) -> dict[str, str]:
    """Return the environment of the service with these settings and no others."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("SHOPDSR_")}
    return inherited | {f"SHOPDSR_{name.upper()}": str(value) for name, value in settings.items()}
