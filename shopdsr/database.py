"""The database of the settings, and its preparation for serving."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from infra.embedded import embedded_postgres
from infra.postgres.database import refuse_unsafe
from infra.postgres.migrations import migrate
from shopdsr.settings import Settings


class BadAddress(Exception):
    """The address of the database cannot be understood."""

    def __init__(self) -> None:
        super().__init__(
            "SHOPDSR_DATABASE_URL is not a database address: "
            "expected postgresql://user:password@host:port/name"
        )


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """Yield the address of the database that is set, or run the embedded Postgres.

    Raises EmbeddedPostgresError.
    """
    if settings.database_url:
        yield settings.database_url
    else:
        with embedded_postgres(settings.folder) as url:
            yield url


async def prepare(settings: Settings, url: str) -> list[str]:
    """Bring the schema up to date and return the names of the steps taken.

    Raises BadAddress, UnsafeDatabase where confirmed data might be lost and the settings do not
    allow it, and MigrationChanged.
    """
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.ClientConfigurationError:
        raise
    except (ValueError, OverflowError):
        # Without the address, which holds a password, and without the cause, which quotes it.
        raise BadAddress from None
    try:
        if not settings.data_may_be_lost:
            await refuse_unsafe(connection)
        return await migrate(connection)
    finally:
        await connection.close()
