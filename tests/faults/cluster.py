"""A Postgres server of the suite's own, to be killed, stopped, filled and started again."""

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
from urllib.parse import urlencode
from uuid import uuid4

import asyncpg

from infra.embedded import embedded_postgres, throwaway_data_dir
from infra.embedded.places import PROGRAMS, copy_of_wheel, wheel_dir
from infra.postgres.pool import Connection
from tests.conftest import database_of
from tests.faults.processes import children, command, gone, signal_all, wait_for

PATIENCE_S = 60
SOCKET = ".s.PGSQL.5432"

Kill = Literal["backend", "background", "everything"]
T = TypeVar("T")


class Cluster:
    """One running server; `url` is its superuser's, of the database that is always there."""

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
        """The whole server, parent first."""
        return [self.postmaster, *children(self.postmaster)]

    def kill(self, what: Kill, rng: random.Random) -> None:
        """End processes of the server at once with SIGKILL."""
        processes = self.processes()
        if what == "everything":
            # Stopped first, so that none of them writes after another one is dead.
            signal_all(processes, signal.SIGSTOP)
            signal_all(processes, signal.SIGKILL)
            wait_for(lambda: gone(processes), PATIENCE_S, "the killed server is gone")
            return
        if what == "backend":
            of_service = "select pid from pg_stat_activity where application_name = 'shopdsr'"
            chosen = [row[0] for row in self.sql(of_service)]
        else:
            chosen = [pid for pid in processes[1:] if "walwriter" in command(pid)]
        signal_all([rng.choice(chosen or processes[1:])], signal.SIGKILL)

    def revive(self) -> None:
        """Start the server if it is gone, and return when it takes connections."""
        with embedded_postgres(self.data_dir):
            pass
        wait_for(self.answers, PATIENCE_S, "Postgres answers")

    def answers(self) -> bool:
        """Whether a new connection can be had."""
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
            timeout=PATIENCE_S,
            start_new_session=True,
            **self._owner(),
        )

    def _owner(self) -> dict[str, Any]:
        if os.geteuid():
            return {}
        status = self.folder.stat()
        return {"user": status.st_uid, "group": status.st_gid, "extra_groups": []}

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stopped with SIGSTOP: connections are taken by the kernel, and nobody answers."""
        processes = self.processes()
        signal_all(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            signal_all(processes, signal.SIGCONT)

    @contextmanager
    def database(self, **options: str) -> Iterator[str]:
        """A database for one row, dropped at its end; yields its address."""
        name = f"fault_{uuid4().hex[:12]}"
        clauses = " ".join(f"{option} {value}" for option, value in options.items())
        self.sql(f"create database {name} {clauses}")
        try:
            yield database_of(self.url, name)
        finally:
            self.sql(f"drop database {name} with (force)")

    def sql(self, statement: str, *arguments: object, url: str | None = None) -> list[Any]:
        """Rows of one statement on a connection of its own."""

        async def ask(connection: Connection) -> list[Any]:
            rows: list[Any] = await connection.fetch(statement, *arguments)
            return rows

        return self.work(ask, url)

    def work(
        self,
        work: Callable[[Connection], Awaitable[T]],
        url: str | None = None,
    ) -> T:
        """Do something on a connection of its own."""

        async def connected() -> T:
            connection = await asyncpg.connect(url or self.url, timeout=PATIENCE_S)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(connected())


def program(name: str) -> Path:
    """A program of the wheel."""
    return wheel_dir() / PROGRAMS / name


def through(url: str, folder: Path) -> str:
    """The same database by way of a socket in another folder."""
    return f"{url.partition('?')[0]}?{urlencode({'host': str(folder), 'port': '5432'})}"


@contextmanager
def cluster(data_dir: Path | None = None) -> Iterator[Cluster]:
    """A server for the block, on data of its own that are removed, or in a given empty folder."""
    with contextlib.ExitStack() as stack:
        folder = data_dir or stack.enter_context(throwaway_data_dir())
        url = stack.enter_context(embedded_postgres(folder))
        found = Cluster(folder, url)
        # Leaving must find a server that can be told to stop.
        stack.callback(found.revive)
        yield found
