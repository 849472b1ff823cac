"""What a database must allow before a service starts on it."""

import asyncpg

from infra.postgres.statements import sql


async def connections_max(connection: "asyncpg.Connection[asyncpg.Record]") -> tuple[str, int]:
    """Return what bounds the connections of this user most, and to how many."""
    row = await connection.fetchrow(sql("connection_limits"))
    assert row is not None
    return min(
        ((name, limit) for name, limit in row.items() if limit >= 0), key=lambda bound: bound[1]
    )
