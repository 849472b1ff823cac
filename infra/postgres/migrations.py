"""The migrations of the schema: SQL files, each applied once, in order, forward only."""

import hashlib
import re
from functools import cache
from importlib import resources

import asyncpg
import msgspec

from infra.postgres.database import Connection
from infra.postgres.statements import rendered, sql

_LOCK = 7_236_401


class Migration(msgspec.Struct, frozen=True):
    """A migration: `name` is that of its file, `statements` run in one transaction."""

    name: str
    sha256: str
    statements: list[str]


class MigrationChanged(Exception):
    """A migration was changed after it had been applied."""


@cache
def migrations() -> tuple[Migration, ...]:
    """Return every migration, in order."""
    files = (resources.files(__package__) / "migrations").iterdir()
    steps = []
    for file in sorted(files, key=lambda file: file.name):
        if file.name.endswith(".sql"):
            text = rendered(file.read_text("utf-8"))
            digest = hashlib.sha256(text.encode()).hexdigest()
            statements = [part.strip() for part in re.split(r";\s*$", text, flags=re.MULTILINE)]
            steps.append(
                Migration(file.name.removesuffix(".sql"), digest, list(filter(None, statements)))
            )
    return tuple(steps)


async def migrate(connection: Connection) -> list[str]:
    """Apply the missing migrations, each in a transaction, and return their names.

    Raises MigrationChanged.
    """
    applied = []
    for migration in migrations():
        async with connection.transaction():
            await connection.execute(sql("wait_for_lock"))
            await connection.fetchval(sql("lock_schema"), _LOCK)
            await connection.execute(sql("make_schema_migrations"))
            digest = (await _applied(connection)).get(migration.name)
            if digest is None:
                for statement in migration.statements:
                    await connection.execute(statement)
                await connection.execute(sql("insert_migration"), migration.name, migration.sha256)
                applied.append(migration.name)
            elif digest != migration.sha256:
                raise MigrationChanged(f"{migration.name} was changed after it had been applied")
    return applied


async def is_current(connection: Connection) -> bool:
    """Return whether every migration has been applied."""
    try:
        applied = await _applied(connection)
    except asyncpg.UndefinedTableError:
        return False
    return {migration.name for migration in migrations()} <= applied.keys()


async def _applied(connection: Connection) -> dict[str, str]:
    rows = await connection.fetch(sql("applied_migrations"))
    return {row["name"]: row["sha256"] for row in rows}
