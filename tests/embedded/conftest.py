"""A data folder for each test, and other processes that use it."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from infra.embedded import embedded_postgres, throwaway_data_dir
from tests.harness.server import REPOSITORY

TIMEOUT_S = 30


class User:
    """Another process that joins the server of a data folder; see user.py."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.user", str(data_dir)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def heard(self) -> str:
        """Return the next line the process prints; the first is its DSN."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(TIMEOUT_S) == 0

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(TIMEOUT_S)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()


@pytest.fixture
def empty_dir() -> Iterator[Path]:
    """Make a folder for a first start."""
    with throwaway_data_dir() as folder:
        yield folder


@pytest.fixture(scope="session")
def made_once() -> Iterator[Path]:
    with throwaway_data_dir() as folder:
        with embedded_postgres(folder):
            pass
        yield folder


@pytest.fixture
def data_dir(made_once: Path) -> Iterator[Path]:
    """Return the folder with data and no server, which all tests share and leave whole."""
    yield made_once
    with embedded_postgres(made_once):
        pass


@pytest.fixture
def own_data_dir(made_once: Path) -> Iterator[Path]:
    """Make a folder with data, for a test that does harm to them."""
    with throwaway_data_dir() as folder:
        subprocess.run(["/bin/cp", "-a", f"{made_once}/.", folder], check=True)
        yield folder


@pytest.fixture
def join(data_dir: Path) -> Iterator[Callable[[], User]]:
    """Start a process that joins the server of the test's data folder."""
    with contextlib.ExitStack() as users:
        yield lambda: users.enter_context(User(data_dir))
