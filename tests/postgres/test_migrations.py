"""The schema, step by step."""

import asyncio
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from infra.postgres import migrations as steps
from infra.postgres.database import Connection, Database, PoolLimits, open_database
from infra.postgres.migrations import Migration, MigrationChanged, is_current, migrate, migrations

NAMES = [migration.name for migration in migrations()]


def opened(url: str) -> AbstractAsyncContextManager[Database]:
    """Open a database as its owner."""
    return open_database(url, PoolLimits(connections_max=1), as_owner=True)


async def schema(connection: Connection) -> list[tuple[object, ...]]:
    """Return every column, constraint and index."""
    rows = await connection.fetch(
        """
        select table_name::text, ordinal_position::text, column_name::text, data_type::text,
            is_nullable::text, column_default::text, collation_name::text
        from information_schema.columns where table_schema = 'public'
        union all
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid), null, null, null, null
        from pg_constraint where connamespace = 'public'::regnamespace
        union all
        select tablename::text, indexname::text, indexdef, null, null, null, null
        from pg_indexes where schemaname = 'public'
        order by 1, 2, 3
        """
    )
    return [tuple(row) for row in rows]


async def test_a_second_run_has_nothing_to_do(empty_url: str) -> None:
    async with opened(empty_url) as owner:
        assert not await owner.run(is_current)
        assert await migrate(owner) == NAMES
        assert await owner.run(is_current)
        assert await migrate(owner) == []


async def test_processes_that_start_together_take_each_step_once(empty_url: str) -> None:
    async def start() -> list[str]:
        async with opened(empty_url) as owner:
            return await migrate(owner)

    applied = await asyncio.gather(*(start() for _ in range(5)))
    assert sorted(name for names in applied for name in names) == NAMES


async def test_a_step_at_a_time_makes_the_same_schema_as_all_at_once(
    empty_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = migrations()
    async with opened(empty_url) as owner, opened(database_url) as at_once:
        for count in range(1, len(every) + 1):
            monkeypatch.setattr(steps, "migrations", lambda count=count: every[:count])
            assert await migrate(owner) == [every[count - 1].name]
            assert await owner.run(is_current)
        assert await owner.run(schema) == await at_once.run(schema)


async def test_a_step_that_was_changed_after_it_was_applied_is_an_error(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = migrations()
    changed = Migration(first.name, "0" * 64, first.statements)
    monkeypatch.setattr(steps, "migrations", lambda: (changed, *rest))
    async with opened(database_url) as owner:
        with pytest.raises(MigrationChanged, match=f"^{first.name} was changed"):
            await migrate(owner)


async def test_a_step_that_fails_leaves_nothing_and_may_be_tried_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Migration("9999_broken", "0" * 64, ["create table half (a int)", "select 1 / 0"])
    every = (*migrations(), broken)
    monkeypatch.setattr(steps, "migrations", lambda: every)
    async with opened(database_url) as owner:
        before = await owner.run(schema)
        for _ in range(2):
            with pytest.raises(asyncpg.DivisionByZeroError):
                await migrate(owner)
            assert not await owner.run(is_current)
            assert await owner.run(schema) == before


def test_steps_are_numbered_without_a_gap() -> None:
    assert [name[:5] for name in NAMES] == [f"{number:04}_" for number in range(1, len(NAMES) + 1)]
