"""The schema, step by step: plain SQL files, each applied once, in order, forward only."""

import hashlib
import re
from functools import cache
from importlib import resources

import asyncpg
import msgspec

from infra.postgres.database import Connection

_LOCK = 7_236_401
_LOCK_TIMEOUT = "10s"


class Migration(msgspec.Struct, frozen=True):
    """One step: `name` is its file's, `statements` run in one transaction."""

    name: str
    sha256: str
    statements: list[str]


class MigrationChanged(Exception):
    """A step that was applied reads otherwise now."""


@cache
def migrations() -> tuple[Migration, ...]:
    """Every step, in order."""
    files = (resources.files(__package__) / "migrations").iterdir()
    found = []
    for file in sorted(files, key=lambda file: file.name):
        if file.name.endswith(".sql"):
            text = file.read_text("utf-8")
            digest = hashlib.sha256(text.encode()).hexdigest()
            statements = [part.strip() for part in re.split(r";\s*$", text, flags=re.MULTILINE)]
            found.append(
                Migration(file.name.removesuffix(".sql"), digest, list(filter(None, statements)))
            )
    return tuple(found)


async def migrate(connection: Connection) -> list[str]:
    """Apply the steps that are missing, each in its own transaction; their names."""
    applied = []
    for migration in migrations():
        async with connection.transaction():
            await connection.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT}'")
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
            await connection.execute(
                "create table if not exists schema_migrations ("
                "name text primary key, sha256 text not null)"
            )
            if await _is_applied(connection, migration):
                continue
            for statement in migration.statements:
                await connection.execute(statement)
            await connection.execute(
                "insert into schema_migrations (name, sha256) values ($1, $2)",
                migration.name,
                migration.sha256,
            )
            applied.append(migration.name)
    return applied


async def is_current(connection: Connection) -> bool:
    """Whether every step has been applied."""
    try:
        names = await connection.fetch("select name from schema_migrations")
    except asyncpg.UndefinedTableError:
        return False
    return {migration.name for migration in migrations()} <= {row["name"] for row in names}


async def _is_applied(connection: Connection, migration: Migration) -> bool:
    known = await connection.fetchval(
        "select sha256 from schema_migrations where name = $1", migration.name
    )
    if known is not None and known != migration.sha256:
        raise MigrationChanged(f"{migration.name} was changed after it had been applied")
    return known is not None
