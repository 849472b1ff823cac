"""What a database must allow before a service starts on it."""

from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.postgres.requirements import connections_max
from tests.harness.postgres import execute


@pytest.mark.parametrize(
    ("statement", "bounded_by", "limit"),
    [
        ("select 1", "server", 0),
        ("alter database {} connection limit 7", "database", 7),
        ("alter role {} connection limit 5", "user", 5),
    ],
)
async def test_the_narrowest_bound_of_connections_is_named(
    database_url: str, statement: str, bounded_by: str, limit: int
) -> None:
    name = urlsplit(database_url).path.removeprefix("/")
    role = f"{name}_user"
    await execute(database_url, f"create role {role} login")
    try:
        await execute(database_url, statement.format(role if "role" in statement else name))
        connection = await asyncpg.connect(database_url, user=role)
        of_server = "select current_setting('max_connections')::int - 3"  # for superusers
        expected = limit or await connection.fetchval(of_server)
        assert await connections_max(connection) == (bounded_by, expected)
        await connection.close()
    finally:
        await execute(database_url, f"drop role {role}")
