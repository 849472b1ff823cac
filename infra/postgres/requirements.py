"""What a database must allow before a service starts on it."""

import asyncpg

from infra.postgres.database import Connection, Database
from infra.postgres.migrations import migrate
from infra.postgres.sessions import ROLE
from infra.postgres.statements import sql

_ROLE_MISSING = (
    f"the user of the database may not act as the role {ROLE}: grant the role to the user, and "
    "create it before if there is none"
)


class RequirementMissing(Exception):
    """The database lacks what the service relies on; the message is a sentence for the operator."""


async def make_schema(owner: Database) -> list[str]:
    """Apply the missing migrations, and return their names.

    Raises RequirementMissing, MigrationChanged and Unavailable.
    """
    try:
        return await migrate(owner)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidSchemaNameError):
        [row] = await owner.fetch("privileges_to_migrate", ROLE)
        if not row["may_create_tables"]:
            raise RequirementMissing(
                "the user of the database may not create tables in the schema public: make the "
                "schema if there is none, and grant create on it to the user"
            ) from None
        if not row["may_set_role"]:
            raise RequirementMissing(_ROLE_MISSING) from None
        raise


async def require_session(service: Database) -> None:
    """Raise RequirementMissing unless sessions have the settings and rights they rely on."""

    async def lacking(connection: Connection) -> tuple[list[str], list[str]]:
        settings = service.session.settings(connection.get_server_version().major)
        names, texts = list(settings), list(settings.values())
        ignored = await connection.fetch(sql("ignored_settings"), names, texts)
        closed = await connection.fetch(sql("closed_relations"))
        return [row["name"] for row in ignored], [row["name"] for row in closed]

    try:
        ignored, closed = await service.run(lacking)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError):
        raise RequirementMissing(_ROLE_MISSING) from None
    if ignored:
        raise RequirementMissing(
            f"{', '.join(ignored)} cannot be set by the sessions of the service: something between "
            "it and Postgres, or Postgres itself, drops or changes these settings"
        )
    if closed:
        raise RequirementMissing(
            f"the role {ROLE} may not use {', '.join(closed)}: grant it usage of the schema, and "
            "the rights on tables that the migrations grant"
        )


async def connections_max(connection: Connection) -> tuple[str, int]:
    """Return what bounds the connections of this user most, and to how many."""
    row = await connection.fetchrow(sql("connection_limits"))
    assert row is not None
    return min(
        ((name, limit) for name, limit in row.items() if limit >= 0), key=lambda bound: bound[1]
    )
