"""Processes that were started here: ended by their number, and what they use.

Memory and processor time are read from /proc; where there is none they are not measured.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_TIMEOUT_S = 60
_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def started(
    command: Sequence[str],
    *,
    environment: dict[str, str],
    folder: Path,
    stop_with: signal.Signals = signal.SIGTERM,
    account: tuple[int, int] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process for the block; told to end at its end, killed if it does not."""
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        user=account[0] if account else None,
        group=account[1] if account else None,
        extra_groups=[] if account else None,
    )
    try:
        yield process
    finally:
        process.send_signal(stop_with)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def children(pid: int) -> list[int]:
    """Processes that a process has started and that live."""
    try:
        return [int(word) for word in (_PROC / f"{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def cpu_s(pid: int) -> float:
    """Seconds of processor time used so far by a process and by its children that live."""
    return _own_cpu_s(pid) + sum(_own_cpu_s(child) for child in children(pid))


def _own_cpu_s(pid: int) -> float:
    try:
        fields = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # User and system, then the same of children that have ended.
    return sum(int(field) for field in fields[11:15]) / _TICKS


def machine_busy_s() -> float:
    """Seconds of processor time used so far by whatever runs on the machine; 0 where unknown."""
    try:
        fields = (_PROC / "stat").read_text().partition("\n")[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, *interrupts = (int(field) for field in fields[:8])
    return (user + nice + system + sum(interrupts)) / _TICKS


def memory_mib(pid: int, field: str = "VmRSS") -> float:
    """Memory of a process that is resident, or was at most (`VmHWM`); 0 where unknown."""
    try:
        text = (_PROC / f"{pid}/status").read_text()
    except OSError:
        return 0.0
    for line in text.splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def forget_peak(pid: int) -> None:
    """Let the peak of a process's memory begin anew."""
    try:
        (_PROC / f"{pid}/clear_refs").write_text("5")
    except OSError:
        return
