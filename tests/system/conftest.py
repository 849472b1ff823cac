"""Pgbouncer in front of a Postgres of its own."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.harness.postgres import Cluster, start_cluster, through
from tests.harness.processes import wait_until

PORT = 5432
START_TIMEOUT_S = 30
SERVER_CONNECTIONS = 4

_SETTINGS = """
[databases]
* = host={cluster} port=5432
[pgbouncer]
pool_mode = {mode}
listen_addr =
unix_socket_dir = {folder}
listen_port = {port}
auth_type = trust
auth_file = {folder}/users
default_pool_size = {connections}
max_client_conn = 500
logfile = {folder}/log
"""

Pooler: TypeAlias = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Run a server behind poolers."""
    with start_cluster() as cluster:
        yield cluster


@pytest.fixture
def pooler(cluster: Cluster) -> Pooler:
    """Return what runs a pooler, and yields the address through it."""

    @contextmanager
    def run(url: str, mode: str = "transaction") -> Iterator[str]:
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/opt/homebrew/bin")
        assert program, "pgbouncer is missing: make test-system installs it"
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
            (folder / "users").write_text('"postgres" ""\n"outsider" ""\n')
            (folder / "settings").write_text(
                _SETTINGS.format(
                    cluster=cluster.folder,
                    mode=mode,
                    folder=folder,
                    port=PORT,
                    # In session mode each client holds one.
                    connections=SERVER_CONNECTIONS if mode == "transaction" else 50,
                )
            )
            owner = cluster.owner()
            for path in (folder, *folder.iterdir()):
                if owner:
                    shutil.chown(path, owner["user"], owner["group"])
            process = subprocess.Popen([program, "-q", folder / "settings"], **owner)
            stack.callback(process.wait, START_TIMEOUT_S)
            stack.callback(process.terminate)
            socket = folder / f".s.PGSQL.{PORT}"
            wait_until(socket.exists, START_TIMEOUT_S, "pgbouncer listens")
            yield through(url, folder)

    return run
