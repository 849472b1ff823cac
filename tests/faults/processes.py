"""Processes as the kernel shows them. Only those that a test started are ever touched."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

POLL_S = 0.02


def wait_for(holds: Callable[[], object], timeout_s: float, what: str) -> float:
    """Poll until it holds and return the seconds that took; TimeoutError after the deadline."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > timeout_s:
            message = f"{what}: not within {timeout_s:.0f} s"
            raise TimeoutError(message)
        time.sleep(POLL_S)
    return time.monotonic() - started


def children(pid: int) -> list[int]:
    """Processes whose parent this is."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name stands in parentheses and may hold anything.
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(stat.parent.name))
    return sorted(found)


def command(pid: int) -> str:
    """The command line of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def signal_all(pids: list[int], what: signal.Signals) -> None:
    """Signal processes that may have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)


def resident_mib(pids: list[int]) -> float:
    """Memory that these processes hold."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            total += pages * os.sysconf("SC_PAGE_SIZE")
    return total / 2**20


def gone(pids: list[int]) -> bool:
    """Whether all have ended; one that nobody has reaped yet has."""
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                return False
    return True
