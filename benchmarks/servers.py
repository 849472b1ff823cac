"""Processes of a run: Postgres, the service, the empty handler and the plain service.

They listen on the loopback address or a socket, are ended by their number, and are measured as
trees of processes from /proc.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from benchmarks.client import Failed, request, send

FOLDER = Path(__file__).resolve().parent
_START_TIMEOUT_S, _STOP_TIMEOUT_S, _POLL_S = 120, 60, 0.01
_TICKS = os.sysconf("SC_CLK_TCK")
_GRANIAN = ("--interface", "asgi", "--loop", "uvloop", "--http", "1", "--no-ws", "--workers", "1")


class Checkout(NamedTuple):
    """A checkout of the service and the interpreter of its environment."""

    name: str
    folder: Path
    python: Path

    def run(self, *arguments: str, **settings: object) -> str:
        """Run a command of the service and return its output."""
        command: list[str | Path] = [self.python, "-m", "shopdsr", *arguments]
        environment = _environment(settings)
        ended = subprocess.run(
            command, cwd=self.folder, env=environment, check=False, capture_output=True, text=True
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


class Process(NamedTuple):
    """A process that runs, with its children."""

    pid: int
    port: int = 0
    ready_s: float = 0.0

    def cpu_s(self) -> float:
        """Return the processor time used so far, user and system, by the whole tree."""
        # Of each process also the time of its children that have ended.
        fields = [_read(pid, "stat").rpartition(")")[2].split()[11:15] for pid in _tree(self.pid)]
        return sum(int(field) for some in fields for field in some) / _TICKS

    def memory_mib(self, field: str = "VmRSS") -> float:
        """Return the memory of the largest child: resident, or at its peak (`VmHWM`)."""
        texts = [_read(pid, "status").partition(f"{field}:")[2] for pid in _tree(self.pid)[1:]]
        return max(int(text.split()[0]) for text in texts) / 1024


def _tree(pid: int) -> list[int]:
    children = [int(child) for child in _read(pid, f"task/{pid}/children").split()]
    return [pid, *(member for child in children for member in _tree(child))]


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:  # it has ended
        return ""


def service(
    checkout: Checkout, workers: int = 1, **settings: object
) -> AbstractContextManager[Process]:
    """Run `shopdsr serve` on the database or the data folder that the settings name."""
    port = _free_port()
    # Nothing waits for the notice that a service gives before it ends.
    own = {"port": port, "workers": workers, "drain_notice_ms": 0}
    environment = _environment({**own, **settings})
    command = (checkout.python, "-m", "shopdsr", "serve")
    return _server(command, port, environment, checkout.folder)


def empty_handler(checkout: Checkout) -> AbstractContextManager[Process]:
    """Run the empty handler in a checkout's environment, served as the service is."""
    port = _free_port()
    target = ("benchmarks.empty:application", "--port", str(port), "--log-level", "error")
    command = (checkout.python, "-m", "granian", *target, *_GRANIAN)
    return _server(command, port, _environment({}), FOLDER.parent)


def plain_service(url: str) -> AbstractContextManager[Process]:
    """Run the plain service."""
    port = _free_port()
    command = (sys.executable, "-m", "benchmarks.plain", str(port))
    return _server(command, port, {**_environment({}), "PLAIN_DATABASE_URL": url}, FOLDER.parent)


@contextmanager
def postgres(data_dir: Path, preload: str = "") -> Iterator[tuple[Process, str]]:
    """Run Postgres on the data of the service, with the service's command line.

    Yields the address of the database too. A library named by `preload` comes before all others.
    """
    cluster = data_dir / "postgres"
    command = shlex.split((cluster / "postmaster.opts").read_text())
    command += ["-c", "logging_collector=on"]
    pid_file = cluster / "postmaster.pid"

    def is_ready() -> bool:
        return pid_file.exists() and pid_file.read_text().split()[-1:] == ["ready"]

    environment = {"LC_ALL": "C", "LD_PRELOAD": preload}
    with _started(command, environment, cluster, signal.SIGINT, is_ready) as pid:
        socket_name = f"host={quote(str(cluster))}&port={pid_file.read_text().splitlines()[3]}"
        yield Process(pid), f"postgresql://postgres@/shopdsr?{socket_name}"


def fsync_delay(data_dir: Path) -> str:
    """Compile the library that makes each flush take 1 ms longer, and return its path."""
    library = data_dir / "fsync_delay.so"
    command = ("cc", "-shared", "-fPIC", "-O2", "-o", library, FOLDER / "fsync_delay.c", "-ldl")
    subprocess.run(command, check=True)
    library.chmod(0o755)
    return str(library)


@contextmanager
def _server(
    command: Sequence[str | Path], port: int, environment: dict[str, str], folder: Path
) -> Iterator[Process]:
    def is_ready() -> bool:
        try:
            send(port, [request("GET /readyz")])
        except (OSError, Failed):
            return False
        return True

    begun = time.perf_counter()
    with _started(command, environment, folder, signal.SIGTERM, is_ready) as pid:
        yield Process(pid, port, time.perf_counter() - begun)


@contextmanager
def _started(
    command: Sequence[str | Path],
    environment: dict[str, str],
    folder: Path,
    stop_with: signal.Signals,
    is_ready: Callable[[], bool],
) -> Iterator[int]:
    """Run a process as the owner of its folder; yield when it is ready."""
    # Postgres refuses to run as root: the service has given its data to another account.
    owner = folder.stat()
    is_foreign = os.geteuid() == 0 and owner.st_uid != 0
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        user=owner.st_uid if is_foreign else None,
        group=owner.st_gid if is_foreign else None,
        extra_groups=[] if is_foreign else None,
    )
    try:
        give_up = time.monotonic() + _START_TIMEOUT_S
        while not is_ready():
            if process.poll() is not None or time.monotonic() > give_up:
                raise Failed(f"{command} does not become ready")
            time.sleep(_POLL_S)
        yield process.pid
    finally:
        process.send_signal(stop_with)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(settings: dict[str, object]) -> dict[str, str]:
    """Return the environment of the service with these settings and no others."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("SHOPDSR_")}
    return inherited | {f"SHOPDSR_{name.upper()}": str(value) for name, value in settings.items()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
