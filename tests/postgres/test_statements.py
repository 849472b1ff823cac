"""Every statement under `sql/` against the schema as the steps make it."""

import re

import asyncpg

from domain.counters import FIELDS
from infra.postgres.database import Database
from infra.postgres.statements import sql, statement_names


async def test_every_statement_is_prepared(database: Database) -> None:
    faults = {}
    async with database.connection() as connection:
        for name in statement_names():
            try:
                await connection.prepare(sql(name))
            except asyncpg.PostgresError as error:
                faults[name] = error
    assert faults == {}


async def test_totals_are_answered_in_their_order(database: Database) -> None:
    async with database.connection() as connection:
        for name in statement_names():
            prepared = await connection.prepare(sql(name))
            columns = [attribute.name for attribute in prepared.get_attributes()]
            assert in_order(columns), name


def test_totals_are_written_in_their_order() -> None:
    for name in statement_names():
        assert in_order(re.findall(r"^    (\w+) = [a-z]+\.", sql(name), re.MULTILINE)), name
        for listed in re.findall(r"insert into \w+[^(]*\(([^)]*)\)", sql(name)):
            assert in_order(re.findall(r"\w+", listed)), name


def test_no_total_is_forgotten() -> None:
    complete = {name for name in statement_names() if all(field in sql(name) for field in FIELDS)}
    assert complete >= {
        "add_totals",
        "day_totals",
        "set_totals",
        "shop_totals",
        "stored_days",
        "stored_totals",
        "window_totals",
    }


def in_order(columns: list[str]) -> bool:
    """Return whether the columns that are totals are in the order of `FIELDS`."""
    return [name for name in FIELDS if name in columns] == [c for c in columns if c in FIELDS]
