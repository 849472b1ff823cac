"""A session relies on no setting of the role, the database or the server."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from typing import Literal

import asyncpg
import msgspec
import pytest

from infra.postgres import migrations as steps
from infra.postgres.database import Connection, Database, PoolLimits, open_database
from infra.postgres.migrations import Migration, migrate, migrations
from infra.postgres.requirements import RequirementMissing, require_session
from infra.postgres.sessions import ROLE
from tests.harness.postgres import Cluster, database_name, start_cluster

Level = Literal["role", "database", "server"]

LEVELS: tuple[Level, ...] = ("role", "database", "server")
SPOILT = {
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on",
    "search_path": "elsewhere",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "datestyle": "German",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Kathmandu",
    "lc_messages": "C.UTF-8",
    "statement_timeout": "150ms",
    "lock_timeout": "150ms",
    "idle_in_transaction_session_timeout": "150ms",
    "idle_session_timeout": "150ms",
    "transaction_timeout": "150ms",
}
UNAFFECTED = {
    name: "off" if setting == "on" else "0" if setting.endswith("ms") else ""
    for name, setting in SPOILT.items()
    if setting.endswith("ms") or name == "default_transaction_read_only"
}
"""Settings of the session that spoils the others and puts them right."""

ALWAYS = {"transaction_isolation", "transaction_read_only", "role"}

with_and_without_cache = pytest.mark.parametrize(
    "limits",
    [PoolLimits(1), PoolLimits(1, statement_cache=False)],
    ids=["own session", "shared session"],
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Run a server of these tests alone, as they change its settings."""
    with start_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def migrated(cluster: Cluster) -> Iterator[str]:
    """Create a database with the schema to copy, and yield its name."""

    async def make(url: str) -> None:
        async with open_database(url, PoolLimits(1), as_owner=True) as owner:
            await migrate(owner)

    with cluster.database() as url:
        asyncio.run(make(url))
        yield database_name(url)


@pytest.fixture
def empty_url(cluster: Cluster) -> Iterator[str]:
    """Create a database without a schema."""
    with cluster.database() as url:
        yield url


@pytest.fixture
def database_url(cluster: Cluster, migrated: str) -> Iterator[str]:
    """Create a database with the schema."""
    with cluster.database(template=migrated) as url:
        yield url


@asynccontextmanager
async def spoilt(url: str, level: Level, settings: Mapping[str, str]) -> AsyncIterator[None]:
    """Spoil settings at a level for the block; new sessions have them."""
    admin = await asyncpg.connect(url)
    # Not those that this server does not know, and those that its command line sets.
    changeable = "select name from pg_settings where source <> 'command line'"
    names = {row["name"].lower() for row in await admin.fetch(changeable)}
    known = {name: setting for name, setting in settings.items() if name in names}
    target = {
        "role": f"role {await admin.fetchval('select current_user')}",
        "database": f"database {database_name(url)}",
        "server": "system",
    }[level]

    async def wait_until_shown(expected: Mapping[str, str]) -> None:
        async with asyncio.timeout(10):
            while True:
                session = await asyncpg.connect(url)
                shown = {name: await session.fetchval(f"show {name}") for name in expected}
                await session.close()
                if shown == expected:
                    return

    for name, setting in UNAFFECTED.items():
        if name in known:
            await admin.execute(f"set {name} = '{setting}'")
    before = {name: await admin.fetchval(f"show {name}") for name in known}
    before |= {name: setting for name, setting in UNAFFECTED.items() if name in known}
    try:
        for name, setting in known.items():
            await admin.execute(f"alter {target} set {name} = '{setting}'")
        await admin.execute("select pg_reload_conf()")
        shown = {name: setting for name, setting in known.items() if name != "datestyle"}
        await wait_until_shown(shown)
        yield
    finally:
        for name in known:
            await admin.execute(f"alter {target} reset {name}")
        await admin.execute("select pg_reload_conf()")
        await wait_until_shown(before)
        await admin.close()


async def settings_of(connection: Connection) -> dict[str, str]:
    """Return what each setting is for a statement of this connection."""
    rows = await connection.fetch(
        "select name, current_setting(name, true) as setting from unnest($1::text[]) as name",
        [*SPOILT, *ALWAYS],
    )
    return {row["name"]: row["setting"] for row in rows}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", SPOILT)
@with_and_without_cache
async def test_a_setting_is_the_same_whoever_sets_it(
    database_url: str, level: Level, name: str, limits: PoolLimits
) -> None:
    for as_owner in (False, True):
        async with open_database(database_url, limits, as_owner=as_owner) as database:
            expected = await database.run(settings_of)
        async with (
            spoilt(database_url, level, {name: SPOILT[name]}),
            open_database(database_url, limits, as_owner=as_owner) as database,
        ):
            settings = await database.run(settings_of)
            relied_on = ALWAYS | (SPOILT.keys() & database.session.settings(18).keys())
            assert {key for key in relied_on if settings[key] != expected[key]} == set()
            if not as_owner:
                await require_session(database)
                assert settings["role"] == ROLE


@pytest.mark.parametrize("level", LEVELS)
@with_and_without_cache
async def test_a_schema_is_made_whatever_is_set(
    empty_url: str, level: Level, limits: PoolLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Migration("9999_slow", "", ["select pg_sleep(0.3)"])
    monkeypatch.setattr(steps, "migrations", lambda: (*migrations(), slow))
    async with (
        spoilt(empty_url, level, SPOILT),
        open_database(empty_url, limits, as_owner=True) as owner,
        open_database(empty_url, limits) as service,
    ):
        assert await migrate(owner) == [step.name for step in steps.migrations()]
        await require_session(service)


@with_and_without_cache
async def test_a_writer_that_has_waited_reads_what_the_other_has_committed(
    database_url: str, limits: PoolLimits
) -> None:
    spoiled = {"default_transaction_isolation": "repeatable read"}
    async with (
        spoilt(database_url, "database", spoiled),
        open_database(database_url, msgspec.structs.replace(limits, connections_max=2)) as database,
    ):
        await database.run(lambda on: on.execute("insert into tenants (name) values ('0')"))
        both = asyncio.Barrier(2)

        async def add(connection: Connection) -> None:
            await connection.execute("select count(*) from tenants")
            await both.wait()
            await connection.execute("update tenants set name = (name::int + 1)::text")

        await asyncio.gather(database.run(add, tries=1), database.run(add, tries=1))
        async with database.connection() as connection:
            assert await connection.fetchval("select name from public.tenants") == "2"


@with_and_without_cache
async def test_days_are_read_as_days_whatever_the_style(
    database_url: str, limits: PoolLimits
) -> None:
    async with (
        spoilt(database_url, "server", {"datestyle": "German", "array_nulls": "off"}),
        open_database(database_url, limits) as database,
    ):

        async def read(connection: Connection) -> object:
            text = "select '{02/01/2026, null}'::text::date[]"
            return await connection.fetchval(text)

        assert await database.run(read) == [date(2026, 2, 1), None]


async def test_a_setting_that_does_not_hold_is_named(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await require_session(database)
    monkeypatch.setattr(
        type(database.session),
        "settings",
        lambda *_: {"search_path": "elsewhere", "array_nulls": "on", "lock_timeout": "1"},
    )
    with pytest.raises(RequirementMissing, match=r"^search_path, lock_timeout cannot be set by"):
        await require_session(database)
