"""The demo as a process, in a folder of temporary files of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.embedded import throwaway_data_dir
from tests.harness import processes
from tests.harness.server import REPOSITORY

TIMEOUT_S = 60


class Demo:
    """`shopdsr demo`, run as anyone, as the leader of a process group like a shell's."""

    def __init__(self, temporary: Path, port: int, user: str | None) -> None:
        self.temporary = temporary
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "shopdsr", "demo"],
            env={
                "PATH": os.defpath,
                "PYTHONPATH": str(REPOSITORY),
                "SHOPDSR_DATABASE_URL": "postgresql://nobody.invalid/must-not-be-used",
                "SHOPDSR_PORT": str(port),
                "TMPDIR": str(temporary),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            user=user,
            extra_groups=None if user is None else [],
        )
        self.printed = ""

    def until(self, beginning: str) -> str:
        """Return all that was printed, once a line begins so."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.printed += line
            if line.startswith(beginning):
                return self.printed
        raise AssertionError(self.printed)

    def until_its_server_starts(self) -> None:
        """Return while the demo waits for its server."""
        while not any(self.temporary.glob("*/users.lock")):
            assert self.process.poll() is None

    def interrupt(self) -> int:
        """Press Ctrl-C, which reaches the whole group; return the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.end()

    def terminate(self) -> int:
        """Send SIGTERM, to the process alone; return the exit status."""
        self.process.terminate()
        return self.end()

    def end(self) -> int:
        """Read to the end and return the exit status."""
        rest, _ = self.process.communicate(timeout=TIMEOUT_S)
        self.printed += rest
        return self.process.returncode

    def left_behind(self) -> list[str]:
        """Return files, processes and a listener that are still there."""
        remains = [str(path) for path in self.temporary.iterdir()]
        needle = os.fsencode(self.temporary)
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if needle in (process / "environ").read_bytes():
                    remains.append(process.name)
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            remains.append(f"port {self.port}")
        return remains


@pytest.fixture
def free_port() -> int:
    """Return a port that was free a moment ago."""
    return processes.free_port()


@pytest.fixture
def start_demo(free_port: int) -> Iterator[Callable[..., Demo]]:
    """Start a demo; whatever the test does, it is ended."""
    with contextlib.ExitStack() as stack:

        def start(user: str | None = None) -> Demo:
            temporary = stack.enter_context(throwaway_data_dir())
            if user:
                temporary.chmod(0o1777)
            demo = Demo(temporary, free_port, user)
            stack.callback(_end, demo)
            return demo

        yield start


def _end(demo: Demo) -> None:
    if demo.process.poll() is None:
        demo.terminate()
    elif demo.process.stdout:
        demo.process.stdout.close()
