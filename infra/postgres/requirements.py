"""What a database must allow before a service starts on it."""

from typing import TypeAlias

import asyncpg

from infra.postgres.database import ROLE
from infra.postgres.statements import sql

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class RoleMissing(Exception):
    """The user of the database may not act as the role that every session takes."""

    def __init__(self) -> None:
        super().__init__(
            f"the user of the database may not act as the role {ROLE}: grant the role to the "
            "user, and create it before if there is none"
        )


async def require_role(connection: _Connection) -> None:
    """Raise RoleMissing where sessions cannot take the role of the service."""
    if not await connection.fetchval(sql("may_set_role"), ROLE):
        raise RoleMissing


async def connections_max(connection: _Connection) -> tuple[str, int]:
    """Return what bounds the connections of this user most, and to how many."""
    row = await connection.fetchrow(sql("connection_limits"))
    assert row is not None
    return min(
        ((name, limit) for name, limit in row.items() if limit >= 0), key=lambda bound: bound[1]
    )
