"""Client processes, as the process that measures sees them."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.client import READY
from benchmarks.load import Load, Result

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE_S = 180


class ClientFailed(Exception):
    """A client process did not do its load."""


class Client:
    """One client process, which does one load after another."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def prepare(self, load: Load) -> None:
        """Let it prepare; returns at once."""
        self._tell(msgspec.json.encode(load).decode())

    def wait_ready(self) -> None:
        """Wait until everything is prepared."""
        if (line := self._read()) != READY:
            raise ClientFailed(f"a client process said {line!r} instead of {READY}")

    def go(self) -> None:
        """Let the load begin; returns at once."""
        self._tell("go")

    def result(self) -> Result:
        """Wait for the end of the load."""
        return msgspec.json.decode(self._read(), type=Result)

    def _tell(self, text: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def _read(self) -> str:
        assert self._process.stdout
        watchdog = threading.Timer(_PATIENCE_S, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline().strip()
        finally:
            watchdog.cancel()
        if not line:
            raise ClientFailed("a client process ended, or was ended for being silent too long")
        return line


@contextmanager
def client() -> Iterator[Client]:
    """One client process for the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.client"],
        cwd=ROOT,
        env=dict(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Client(process)
    finally:
        process.kill()
        process.communicate()
