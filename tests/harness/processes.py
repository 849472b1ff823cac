"""Processes and ports as the kernel shows them, and waiting for them."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path

POLL_S = 0.02


def wait_until(holds: Callable[[], object], timeout_s: float, what: str) -> float:
    """Poll until a condition holds, and return the seconds that took.

    Raises TimeoutError after the deadline.
    """
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > timeout_s:
            message = f"not within {timeout_s:.0f} s: {what}"
            raise TimeoutError(message)
        time.sleep(POLL_S)
    return time.monotonic() - started


def children(pid: int) -> list[int]:
    """Return the processes whose parent is this one."""
    pids = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name stands in parentheses and may hold anything.
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                pids.append(int(stat.parent.name))
    return sorted(pids)


def command_line(pid: int) -> str:
    """Return the command line of a process, empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal processes that may have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def all_ended(pids: Iterable[int]) -> bool:
    """Return whether all processes have ended; a process that nobody has reaped yet has."""
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                return False
    return True


def memory_mib(pids: Iterable[int], field: str) -> float:
    """Return the sum of a field of `/proc/<pid>/status` over processes."""
    kib = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            kib += int(status.partition(f"{field}:")[2].split()[0])
    return kib / 1024


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
