"""The database of the settings, and its preparation for serving."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import msgspec

from infra.embedded import embedded_postgres
from infra.postgres.database import open_database, refuse_unsafe
from infra.postgres.requirements import connections_max, make_schema, require_session
from infra.postgres.schema import newer_schema, require_schema
from shopdsr.settings import Settings


class BadAddress(Exception):
    """The address of the database cannot be understood."""

    def __init__(self) -> None:
        super().__init__(
            "SHOPDSR_DATABASE_URL is not a database address: "
            "expected postgresql://user:password@host:port/name, with each of / ? # @ % in the "
            "user and the password percent-encoded"
        )


def database_name(settings: Settings) -> str:
    """Return where the database is, for the operator: never a user or a password.

    Raises BadAddress.
    """
    if not settings.database_url:
        return f"the embedded Postgres in {settings.folder.absolute()}"
    try:
        address = urlsplit(settings.database_url)
        options = parse_qs(address.query, strict_parsing=bool(address.query))
    except ValueError:
        raise BadAddress from None
    hosts = address.netloc.partition("@")[2] if "@" in address.netloc else address.netloc
    # A password with / ? # or @ in it would be cut there, and its rest shown as a host or a name.
    shown = [hosts, address.path, address.fragment, "" if address.path else address.query]
    if "@" in "".join(shown):
        raise BadAddress

    def option(name: str, variable: str, default: str) -> str:
        return options.get(name, [os.environ.get(variable) or default])[-1]

    if not hosts and (service := option("service", "PGSERVICE", "")):
        return f"the service {service} of the connection service file"
    place = unquote(hosts) or option("host", "PGHOST", "localhost")
    if ":" not in place.rpartition("]")[2]:
        place += ":" + option("port", "PGPORT", "5432")
    name = unquote(address.path.lstrip("/")) or option("dbname", "PGDATABASE", "")
    if hosts and not ("@" in address.netloc or address.path or address.query):
        # A single word may be a password that was set in place of an address.
        return f"{name or 'the default database'} of the host in SHOPDSR_DATABASE_URL"
    return f"{place}/{name}"


class TooFewConnections(Exception):
    """The database takes fewer connections than all workers may open."""

    def __init__(self, settings: Settings, bounded_by: str, limit: int) -> None:
        remedy = "lower SHOPDSR_WORKERS or SHOPDSR_POOL_CONNECTIONS"
        if not settings.database_url:
            remedy += ", or start when no other shopdsr uses the data folder"
        super().__init__(
            f"{settings.workers} workers with {settings.pool_connections} connections each need "
            f"{settings.database_connections}, and the {bounded_by} takes {limit}: {remedy}"
        )


@contextmanager
def database_url(settings: Settings, *, create: bool, supervise: bool = False) -> Iterator[str]:
    """Yield the address of the database that is set, or run the embedded Postgres.

    Only with `create` is an embedded one made where there is none, and with `supervise` it is
    started again when it ends. Raises EmbeddedPostgresError.
    """
    if settings.database_url:
        yield settings.database_url
    else:
        connections = settings.database_connections
        with embedded_postgres(
            settings.folder, create=create, connections=connections, supervise=supervise
        ) as url:
            yield url


class Prepared(msgspec.Struct, frozen=True):
    """The migrations that were applied, and what is said of a schema newer than the program."""

    applied: list[str]
    newer: str


async def prepare(settings: Settings, url: str, *, create: bool, serve: bool = False) -> Prepared:
    """Bring the schema up to date, and with `serve` check that all workers can connect.

    Without `create` nothing is changed, and a schema of another release is refused. Raises
    BadAddress, UnsafeDatabase where confirmed data might be lost and the settings do not allow
    it, TooFewConnections, WrongSchema, MigrationChanged and RequirementMissing.
    """
    owner_limits = msgspec.structs.replace(settings.pool, connections_max=1)
    async with open_database(url, owner_limits, as_owner=True) as owner:
        try:
            bounded_by, limit = await owner.run(connections_max)
        except asyncpg.ClientConfigurationError:
            raise
        except (ValueError, OverflowError):
            # Without the address, which holds a password, and without the cause, which quotes it.
            raise BadAddress from None
        if not settings.data_may_be_lost:
            await owner.run(refuse_unsafe)
        # A pooler in transaction mode shares fewer connections among more clients.
        if serve and settings.statement_cache and limit < settings.database_connections:
            raise TooFewConnections(settings, bounded_by, limit)
        if not create:
            await owner.run(require_schema)
        applied = await make_schema(owner) if create else []
        newer = await owner.run(newer_schema)
    async with open_database(url, settings.pool) as service:
        await require_session(service)
    return Prepared(applied, newer)
