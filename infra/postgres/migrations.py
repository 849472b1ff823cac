"""The migrations of the schema: SQL files, each applied once, in order, forward only."""

import hashlib
import re
from functools import cache, partial
from importlib import resources

import msgspec

from infra.postgres.database import Connection, Database
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


async def migrate(database: Database) -> list[str]:
    """Apply the missing migrations, each in a transaction, and return their names.

    Raises MigrationChanged, and Unavailable where a lock is not to be had in time.
    """
    steps = migrations()
    return [step.name for step in steps if await database.run(partial(_apply, step))]


async def _apply(migration: Migration, connection: Connection) -> bool:
    """Apply a migration unless it was applied before, and return whether it was not."""
    if await _is_applied(migration, connection):
        return False
    await connection.fetchval(sql("lock_schema"), _LOCK)
    # Meanwhile another process may have applied it.
    if await _is_applied(migration, connection):
        return False
    await connection.execute(sql("make_schema_migrations"))
    for statement in migration.statements:
        await connection.execute(statement)
    await connection.execute(sql("insert_migration"), migration.name, migration.sha256)
    return True


async def _is_applied(migration: Migration, connection: Connection) -> bool:
    digest = (await applied_migrations(connection)).get(migration.name)
    if digest not in {None, migration.sha256}:
        raise MigrationChanged(f"{migration.name} was changed after it had been applied")
    return digest is not None


async def is_current(connection: Connection) -> bool:
    """Return whether every migration has been applied."""
    applied = await applied_migrations(connection)
    return {migration.name for migration in migrations()} <= applied.keys()


async def applied_migrations(connection: Connection) -> dict[str, str]:
    """Return the SHA-256 digest of each migration that was applied, by name."""
    if not await connection.fetchval(sql("has_schema_migrations")):
        return {}
    rows = await connection.fetch(sql("applied_migrations"))
    return {row["name"]: row["sha256"] for row in rows}
