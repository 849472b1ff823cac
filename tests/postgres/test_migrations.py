"""The schema, step by step."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

import asyncpg
import pytest

from domain.peers import percentile
from domain.totals import FIELDS
from infra.postgres import migrations as steps
from infra.postgres.database import Connection
from infra.postgres.migrations import Migration, MigrationChanged, is_current, migrate, migrations

WAITING = """
    select count(*) from pg_locks join pg_database on oid = database
    where not granted and datname = current_database()
"""

NAMES = [migration.name for migration in migrations()]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def schema(connection: Connection) -> list[tuple[object, ...]]:
    """Every column, constraint and index."""
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
    async with connected(empty_url) as connection:
        assert not await is_current(connection)
        assert await migrate(connection) == NAMES
        assert await is_current(connection)
        assert await migrate(connection) == []


async def test_processes_that_start_together_take_each_step_once(empty_url: str) -> None:
    async def start() -> list[str]:
        async with connected(empty_url) as connection:
            return await migrate(connection)

    applied = await asyncio.gather(*(start() for _ in range(5)))
    assert sorted(name for names in applied for name in names) == NAMES


async def test_a_step_at_a_time_makes_the_same_schema_as_all_at_once(
    empty_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = migrations()
    async with connected(empty_url) as connection, connected(database_url) as at_once:
        for count in range(1, len(every) + 1):
            monkeypatch.setattr(steps, "migrations", lambda count=count: every[:count])
            assert await migrate(connection) == [every[count - 1].name]
            assert await is_current(connection)
        assert await schema(connection) == await schema(at_once)


async def test_snapshots_of_rows_say_the_same_in_columns(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was taken before: percentiles of ties, of shops without one, of two currencies."""
    every = migrations()
    rng = random.Random(0)
    shops = {
        key: (
            rng.choice(["baby", "toys"]),
            rng.choice(["CNY", "USD"]),
            rng.randrange(9),
            *(rng.choice([None, *range(12)]) for _ in range(3)),
        )
        for key in rng.sample(range(1, 1000), 150)
    }
    peers = {
        (category, place): [shop[place] for shop in shops.values() if shop[0] == category]
        for category in ("baby", "toys")
        for place in (3, 4, 5)
    }
    scores = {of: [score for score in found if score is not None] for of, found in peers.items()}
    expected = {
        key: (
            category,
            currency,
            sales,
            *(
                None if own is None else sum(score < own for score in scores[category, place])
                for place, own in enumerate(owns, 3)
            ),
        )
        for key, (category, currency, sales, *owns) in shops.items()
    }
    rows = [
        (
            *(key, date(2026, 11, 20), 1, "m", category, currency, sales),
            *(
                None if n is None else percentile(n, len(scores[category, place]))
                for place, n in enumerate(below, 3)
            ),
        )
        for key, (category, currency, sales, *below) in expected.items()
    ]
    async with connected(empty_url) as connection:
        monkeypatch.setattr(steps, "migrations", lambda: every[:5])
        await migrate(connection)
        await connection.copy_records_to_table("peer_shops", records=rows)
        monkeypatch.setattr(steps, "migrations", lambda: every)
        await migrate(connection)
        found = await connection.fetch("select * from peer_members order by last_shop_key")
    members = {
        key: (row["category"], row["currency"], *rest)
        for row in found
        for key, *rest in zip(*list(row)[6:], strict=True)
    }
    assert members == expected
    assert all(row["shop_keys"] == sorted(row["shop_keys"]) for row in found)
    assert all(row["last_shop_key"] == row["shop_keys"][-1] for row in found)
    assert max(len(row["shop_keys"]) for row in found) == 32


async def test_steps_are_applied_beside_a_release_that_records(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = migrations()
    async with connected(empty_url) as connection, connected(empty_url) as writer:
        monkeypatch.setattr(steps, "migrations", lambda: every[:8])
        await migrate(connection)
        monkeypatch.setattr(steps, "migrations", lambda: every)
        async with writer.transaction():
            await writer.fetch("select from ratings")
            migrated = asyncio.create_task(migrate(connection))
            while not (migrated.done() or await writer.fetchval(WAITING)):
                await asyncio.sleep(0.01)
            await writer.execute(
                "insert into ratings (shop_key, review_id, buyer_id, month, time, day, order_id,"
                " state) values (1, 'r', 'b', '2026-11-01', '2026-11-02Z', '2026-11-02', 'o', 0)"
            )
        assert await migrated == [step.name for step in every[8:]]


async def test_days_that_running_totals_stand_for_move_to_them(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = migrations()
    views = ("tenant_shop_days", "tenant_standings")
    rng = random.Random(0)
    width = len(FIELDS)
    today = date(2026, 11, 20)

    async def seen(connection: Connection) -> list[set[tuple[object, ...]]]:
        found = [await connection.fetch(f"select * from {view}") for view in views]
        return [{tuple(row) for row in rows if any(list(row)[-width:])} for rows in found]

    def totals() -> list[int]:
        return [rng.randrange(-9, 99) for _ in FIELDS]

    async with connected(empty_url) as connection:
        monkeypatch.setattr(steps, "migrations", lambda: every[:11])
        await migrate(connection)
        await connection.execute("insert into tenants (name) values ('acme')")
        await connection.execute(
            "insert into shops (tenant_id, shop_id, marketplace, category, currency, time_zone,"
            " kind, rules, rules_version) select 1, 's-' || n, 'm', 'c', 'CNY', 'UTC',"
            " 'individual', 'taobao', 1 from generate_series(1, 30) n"
        )
        columns = ["shop_key", "day", *FIELDS]
        stands = {key: today - timedelta(days=key % 3) for key in range(1, 31)}
        running = [(key, day, *totals()) for key, day in stands.items()]
        named = [
            (key, today - timedelta(days=back))
            for key in stands
            for back in rng.sample(range(-1, 5), 3)
        ]
        days = [(*name, *totals()) for name in named]
        await connection.copy_records_to_table("shop_totals", records=running, columns=columns)
        await connection.copy_records_to_table("shop_days", records=days, columns=columns)
        before = await seen(connection)
        monkeypatch.setattr(steps, "migrations", lambda: every[:12])
        await migrate(connection)
        assert await seen(connection) == before
        [apart] = await connection.fetch("select count(*) from other_days")
        assert apart[0] == sum(day != stands[key] for key, day in named) < len(days)
        with pytest.raises(asyncpg.UndefinedTableError, match="shop_days"):
            await connection.execute("insert into shop_days (shop_key, day) values (1, $1)", today)


async def test_a_step_that_was_changed_after_it_was_applied_is_an_error(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = migrations()
    changed = Migration(first.name, "0" * 64, first.statements)
    monkeypatch.setattr(steps, "migrations", lambda: (changed, *rest))
    async with connected(database_url) as connection:
        with pytest.raises(MigrationChanged, match=f"^{first.name} was changed"):
            await migrate(connection)


async def test_a_step_that_fails_leaves_nothing_and_may_be_tried_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Migration("9999_broken", "0" * 64, ["create table half (a int)", "select 1 / 0"])
    every = (*migrations(), broken)
    monkeypatch.setattr(steps, "migrations", lambda: every)
    async with connected(database_url) as connection:
        before = await schema(connection)
        for _ in range(2):
            with pytest.raises(asyncpg.DivisionByZeroError):
                await migrate(connection)
            assert not await is_current(connection)
            assert await schema(connection) == before


def test_steps_are_numbered_without_a_gap() -> None:
    assert [name[:5] for name in NAMES] == [f"{number:04}_" for number in range(1, len(NAMES) + 1)]
