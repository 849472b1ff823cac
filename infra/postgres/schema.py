"""Whether the schema of a database is the one that this release works with."""

from infra.postgres.database import Connection
from infra.postgres.migrations import MigrationChanged, applied_migrations, migrations


class WrongSchema(Exception):
    """The schema is missing, older or newer; the message is one sentence for the operator."""


async def require_schema(connection: Connection) -> None:
    """Raise WrongSchema or MigrationChanged unless all is applied and nothing else."""
    applied = await applied_migrations(connection)
    if not applied:
        raise WrongSchema(
            "the database holds no schema of shopdsr: name another database, or make the schema "
            "with `shopdsr migrate`"
        )
    if later := _later(applied):
        raise WrongSchema(f"{later}: use the release that made the schema")
    for migration in migrations():
        digest = applied.get(migration.name)
        if digest is None:
            raise WrongSchema(
                "the schema is older than this program: bring it up to date with `shopdsr migrate`"
            )
        if digest != migration.sha256:
            raise MigrationChanged(f"{migration.name} was changed after it had been applied")


async def newer_schema(connection: Connection) -> str:
    """Return what is said of a schema that a later release made, else nothing."""
    return _later(await applied_migrations(connection))


def _later(applied: dict[str, str]) -> str:
    names = sorted(applied.keys() - {migration.name for migration in migrations()})
    return f"the schema is newer than this program (it has {', '.join(names)})" if names else ""
