"""Postgres for every suite: databases for a test, and a server that may be killed."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from infra.embedded import embedded_postgres, throwaway_data_dir
from infra.embedded.places import PROGRAMS, copy_of_wheel, wheel_dir
from infra.postgres.database import Connection
from tests.harness.processes import all_ended, children, command_line, signal_all, wait_until

TIMEOUT_S = 60
SOCKET = ".s.PGSQL.5432"

Kill = Literal["backend", "background", "everything", "postmaster"]
T = TypeVar("T")


def database_of(server_url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


async def execute(url: str, statement: str) -> None:
    """Run a statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def new_database(server_url: str, options: str = "") -> Iterator[str]:
    """Create a database for the block, and yield its address."""
    name = f"shopdsr_test_{uuid4().hex}"
    asyncio.run(execute(server_url, f"create database {name} {options}"))
    try:
        yield database_of(server_url, name)
    finally:
        asyncio.run(execute(server_url, f"drop database {name} with (force)"))


def database_name(url: str) -> str:
    """Return the name of the database of an address."""
    return urlsplit(url).path.removeprefix("/")


class Cluster:
    """A running server; `url` is its superuser's, of the database that is always there."""

    def __init__(self, data_dir: Path, url: str) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "postgres"
        self.url = url
        self.templates: dict[str, str] = {}
        """Databases to copy: name and whatever else their maker remembers."""

    @property
    def postmaster(self) -> int:
        """The process that is the parent of all others."""
        return int((self.folder / "postmaster.pid").read_text().partition("\n")[0])

    def processes(self) -> list[int]:
        """Return the processes of the server, parent first."""
        return [self.postmaster, *children(self.postmaster)]

    def kill(self, what: Kill, rng: random.Random | None = None) -> None:
        """End processes of the server at once with SIGKILL."""
        processes = self.processes()
        if what == "everything":
            # Stopped first, so that none of them writes after another one is dead.
            signal_all(processes, signal.SIGSTOP)
            signal_all(processes, signal.SIGKILL)
            wait_until(lambda: all_ended(processes), TIMEOUT_S, "the killed server is gone")
            return
        if what == "postmaster":
            signal_all(processes[:1], signal.SIGKILL)
            return
        if what == "backend":
            of_service = "select pid from pg_stat_activity where application_name = 'shopdsr'"
            chosen = [row[0] for row in self.sql(of_service)]
        else:
            chosen = [pid for pid in processes[1:] if "walwriter" in command_line(pid)]
        signal_all([(rng or random).choice(chosen or processes[1:])], signal.SIGKILL)

    def revive(self) -> None:
        """Start the server if it is gone, and return when it takes connections."""
        with embedded_postgres(self.data_dir):
            pass
        wait_until(self.answers, TIMEOUT_S, "Postgres answers")

    def answers(self) -> bool:
        """Return whether the server takes a new connection."""
        try:
            self.sql("select 1")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return False
        return True

    def restart(self) -> None:
        """Restart as an operator does: sessions are broken off."""
        wheel = copy_of_wheel(self.data_dir) if os.geteuid() == 0 else wheel_dir()
        restart = ("restart", "-m", "fast", "-w", "-s", "-l", "server.log")
        subprocess.run(
            [wheel / PROGRAMS / "pg_ctl", "-D", ".", *restart],
            check=True,
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            timeout=TIMEOUT_S,
            start_new_session=True,
            **self.owner(),
        )

    def owner(self) -> dict[str, Any]:
        """Return the account of its processes for `subprocess`, nothing for this one's."""
        if os.geteuid():
            return {}
        status = self.folder.stat()
        return {"user": status.st_uid, "group": status.st_gid, "extra_groups": []}

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the server with SIGSTOP: the kernel takes connections, and nobody answers."""
        processes = self.processes()
        signal_all(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            signal_all(processes, signal.SIGCONT)

    @contextmanager
    def database(self, **options: str) -> Iterator[str]:
        """Create a database for the block, and yield its address."""
        clauses = " ".join(f"{option} {value}" for option, value in options.items())
        with new_database(self.url, clauses) as url:
            yield url

    def sql(self, statement: str, *arguments: object, url: str | None = None) -> list[Any]:
        """Return the rows of a statement on a connection of its own."""

        async def ask(connection: Connection) -> list[Any]:
            rows: list[Any] = await connection.fetch(statement, *arguments)
            return rows

        return self.work(ask, url)

    def work(
        self,
        work: Callable[[Connection], Awaitable[T]],
        url: str | None = None,
    ) -> T:
        """Run work on a connection of its own."""

        async def connected() -> T:
            connection = await asyncpg.connect(url or self.url, timeout=TIMEOUT_S)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(connected())


def through(url: str, folder: Path) -> str:
    """Return the address of the same database by way of a socket in another folder."""
    return f"{url.partition('?')[0]}?{urlencode({'host': str(folder), 'port': '5432'})}"


@contextmanager
def start_cluster(data_dir: Path | None = None) -> Iterator[Cluster]:
    """Run a server for the block, on temporary data or in a given folder."""
    with contextlib.ExitStack() as stack:
        folder = data_dir or stack.enter_context(throwaway_data_dir())
        url = stack.enter_context(embedded_postgres(folder))
        cluster = Cluster(folder, url)
        # Leaving must find a server that can be told to stop.
        stack.callback(cluster.revive)
        yield cluster
