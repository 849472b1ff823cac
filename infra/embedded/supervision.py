"""The restart of a server that has ended while it is used."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import structlog

from infra.embedded.places import EmbeddedPostgresError

_LOOK_EVERY_S: Final = 0.5


@contextlib.contextmanager
def supervised(cluster: Path, start: Callable[[], None]) -> Iterator[None]:
    """Start the server of a cluster again whenever it has ended during the block."""
    left = threading.Event()

    def supervise() -> None:
        while not left.wait(_LOOK_EVERY_S):
            if _is_alive(cluster):
                continue
            try:
                start()
            except EmbeddedPostgresError as error:
                # Tried again: a disk that is full may have space later.
                structlog.get_logger().error("database does not start again", cause=str(error))
            else:
                structlog.get_logger().warning("database started again", cause="it had ended")

    thread = threading.Thread(target=supervise, daemon=True)
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()


def _is_alive(cluster: Path) -> bool:
    """Return whether the process of a server is there, without a connection to it."""
    try:
        pid_file = (cluster / "postmaster.pid").read_text(errors="replace")
    except FileNotFoundError:
        return False
    process = Path("/proc", pid_file.partition("\n")[0].strip())
    try:
        if process.parent.exists():
            # Not of a process that has ended and that nobody has reaped.
            return (process / "cwd").readlink() == cluster
        os.kill(int(process.name), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True
