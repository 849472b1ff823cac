"""Databases of the throwaway server, and statements run on them outside of any measurement."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks.clients import ROOT
from benchmarks.servers import SERVICE_PYTHON, service_environment

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
T = TypeVar("T")

TENANT = "bench"
SCOPES = "events:write,scores:read,admin"


def address_of(server_url: str, name: str) -> str:
    """The address of another database of the same server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def on(url: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Work on one connection; what it writes is committed statement by statement."""

    async def connected() -> T:
        connection = await asyncpg.connect(url, command_timeout=3_600)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())


def fetch(url: str, statement: str, *arguments: object) -> list[Any]:
    """Rows of one statement."""

    async def work(connection: Connection) -> list[Any]:
        return list(await connection.fetch(statement, *arguments))

    return on(url, work)


def execute(url: str, *statements: str) -> None:
    """Statements one after another."""

    async def work(connection: Connection) -> None:
        for statement in statements:
            await connection.execute(statement)

    on(url, work)


def shopdsr(url: str, arguments: Sequence[str]) -> str:
    """What a command of the service prints."""
    return subprocess.run(
        [SERVICE_PYTHON, "-m", "shopdsr", *arguments],
        cwd=ROOT,
        env=service_environment(database_url=url),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def make_service_database(server_url: str, name: str) -> tuple[str, str]:
    """A database with the schema of the service: its address, and a key that may do everything."""
    url = address_of(server_url, name)
    if not fetch(server_url, "select from pg_database where datname = $1", name):
        execute(server_url, f"create database {name}")
    return url, shopdsr(url, ["keys", "create", "--tenant", TENANT, "--scopes", SCOPES])


async def copy_of_table(connection: Connection, source: str, target: str) -> None:
    """Make `target` of the same rows, columns, indexes and storage settings as `source`.

    Both are names with their schema. Unique constraints become unique indexes.
    """
    schema = target.partition(".")[0]
    await connection.execute(f"create schema if not exists {schema}")
    await connection.execute(f"create table {target} (like {source} including defaults)")
    for option in await connection.fetchval(
        "select coalesce(reloptions, '{}') from pg_class where oid = $1::text::regclass", source
    ):
        await connection.execute(f"alter table {target} set ({option})")
    await connection.execute(f"insert into {target} select * from {source}")  # noqa: S608
    for index in await connection.fetch(
        "select pg_get_indexdef(indexrelid) as made from pg_index "
        "where indrelid = $1::text::regclass order by indexrelid",
        source,
    ):
        await connection.execute(index["made"].replace(f" ON {source} ", f" ON {target} ", 1))
    await connection.execute(f"vacuum (analyze) {target}")
