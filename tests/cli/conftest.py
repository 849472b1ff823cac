"""The command line as its users meet it: a shared server, and commands beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded import throwaway_data_dir
from tests.harness.server import Server, Shell


def postgres_is_stopped(folder: Path) -> bool:
    """Return whether the embedded server ended cleanly: it removes this file as its last act."""
    return not (folder / "postgres" / "postmaster.pid").exists()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Make the data folder of the shared server."""
    with throwaway_data_dir() as made:
        yield made


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[Server]:
    """Run a server beside whatever command is tried."""
    with Shell(data_dir=folder).serve() as server:
        yield server
        assert server.stop() == 0
    assert postgres_is_stopped(folder)


@pytest.fixture
def shell(folder: Path, server: Server) -> Iterator[Shell]:
    """Make a shell on the folder of the shared server, which no command may stop."""
    yield Shell(data_dir=folder)
    assert server.is_ready()


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """Make an empty data folder for one test."""
    with throwaway_data_dir() as made:
        yield made
