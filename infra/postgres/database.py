"""A pool of connections, transactions that are retried, and the check of unsafe settings."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Final, TypeAlias, TypeVar

import asyncpg
import msgspec
import stamina

from domain.errors import Unavailable
from infra.postgres.sessions import ROLE, Session
from infra.postgres.statements import sql

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

T = TypeVar("T")
Item = TypeVar("Item")


class UnexpectedPooler(Exception):
    """A pooler, which shares a session among many clients, is between, and was not told of."""


_TRANSIENT = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    UnexpectedPooler,
    OSError,
    TimeoutError,
)
"""Errors of the database and not of the request, whose transaction may be tried again."""

_GRACE_S = 1.0
"""Time after the statement timeout, within which a living server has ended the statement."""

IDLE_MAX_S: Final = 300.0
"""Longest time unused: a connection that the network drops meanwhile does not say so."""

SILENT = (TimeoutError, asyncio.CancelledError)
"""Ends of waiting for the server, whose answer may still come."""

TRIES = 3


def _is_transient(error: Exception) -> bool:
    # An argument that the driver cannot encode is an InterfaceError too, and a bug.
    return isinstance(error, _TRANSIENT) and not isinstance(error, ValueError)


class PoolLimits(msgspec.Struct, frozen=True):
    """Bounds of the pool: connections, and milliseconds to wait for one, a statement or a lock.

    Without the statement cache nothing is left to a session, which a pooler shares among many:
    each statement runs in a transaction, which makes the settings of a session for itself.
    """

    connections_max: int = 10
    acquire_timeout_ms: int = 5_000
    statement_timeout_ms: int = 30_000
    lock_timeout_ms: int = 10_000
    statement_cache: bool = True


def _silent_after_s(limits: PoolLimits) -> float:
    return limits.statement_timeout_ms / 1000 + _GRACE_S


class UnsafeDatabase(Exception):
    """The server may lose what it has confirmed."""

    def __init__(self, settings: list[str]) -> None:
        super().__init__(f"{', '.join(settings)} must be on, or confirmed data may be lost")
        self.settings = settings


class Database:
    """A pool of connections; each piece of work is a transaction, retried after transient errors.

    Everything that is recorded is idempotent, so another try is safe even where it is unknown
    whether the first try was committed.
    """

    def __init__(self, pool: asyncpg.Pool, limits: PoolLimits, session: Session) -> None:
        self.connections_max = limits.connections_max
        self.connections_in_use = self.connection_waits = 0
        self.session = session
        self._pool = pool
        self._limits = limits

    async def run(
        self,
        work: Callable[[Connection], Awaitable[T]],
        *,
        tries: int = TRIES,
        snapshot: bool = False,
    ) -> T:
        """Do the work in one transaction, with `snapshot` on one state of the database.

        Raises Unavailable when the database cannot serve it now.
        """
        isolation = "repeatable_read" if snapshot else "read_committed"

        async def once() -> T:
            async with self.connection() as connection:
                transaction = connection.transaction(isolation=isolation)
                try:
                    await transaction.start()
                    if self.session.shared:
                        await _make_settings(connection, self.session)
                except BaseException:
                    # The driver now takes the session for one that is in a transaction.
                    connection.terminate()
                    raise
                try:
                    done = await work(connection)
                except SILENT:
                    raise
                except BaseException:
                    await transaction.rollback()
                    raise
                await transaction.commit()
                return done

        return await self._retried(once, tries)

    async def fetch(self, name: str, *arguments: object) -> list[asyncpg.Record]:
        """Return the rows of one reading statement, where sessions are not shared on its own.

        Raises Unavailable when the database cannot serve it now.
        """

        async def read(connection: Connection) -> list[asyncpg.Record]:
            rows: list[asyncpg.Record] = await connection.fetch(sql(name), *arguments)
            return rows

        async def once() -> list[asyncpg.Record]:
            async with self.connection() as connection:
                return await read(connection)

        return await (self.run(read) if self.session.shared else self._retried(once, TRIES))

    async def _retried(self, once: Callable[[], Awaitable[T]], tries: int) -> T:
        last_start = monotonic() + self.acquire_timeout_s

        def may_retry(error: Exception) -> bool:
            return _is_transient(error) and monotonic() < last_start

        try:
            return await once()
        except _TRANSIENT as error:
            if not _is_transient(error):
                raise
            transient = error
        try:
            if tries > 1 and may_retry(transient):
                async for attempt in stamina.retry_context(
                    on=may_retry, attempts=tries - 1, wait_initial=0.02, wait_max=0.2, timeout=None
                ):
                    with attempt:
                        return await once()
        except _TRANSIENT as error:
            if not _is_transient(error):
                raise
            transient = error
        raise Unavailable(type(transient).__name__) from transient

    @property
    def acquire_timeout_s(self) -> float:
        """Return the longest wait for a connection, after which nothing is tried again."""
        return self._limits.acquire_timeout_ms / 1000

    @property
    def work_timeout_s(self) -> float:
        """Return the longest time of one statement on a silent server."""
        return 2 * self.acquire_timeout_s + _silent_after_s(self._limits)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection for the block; terminate it if the server is silent."""
        self.connection_waits += self.connections_in_use >= self.connections_max
        async with self._pool.acquire(timeout=self.acquire_timeout_s) as connection:
            self.connections_in_use += 1
            try:
                yield connection
            except SILENT:
                # The server may never answer anything else that is sent on this connection.
                connection.terminate()
                raise
            finally:
                self.connections_in_use -= 1


@asynccontextmanager
async def open_database(
    dsn: str, limits: PoolLimits, *, as_owner: bool = False
) -> AsyncIterator[Database]:
    """Open a pool on the database, closed at the end.

    With `as_owner` it acts as the user of the address, whose statements take as long as they need.
    """
    session = Session(
        role="" if as_owner else ROLE,
        statement_timeout_ms=0 if as_owner else limits.statement_timeout_ms,
        lock_timeout_ms=limits.lock_timeout_ms,
        shared=not limits.statement_cache,
    )
    pool = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=limits.connections_max,
        max_inactive_connection_lifetime=IDLE_MAX_S,
        init=None if session.shared else partial(_begin_session, session=session),
        reset=_keep_session,
        timeout=limits.acquire_timeout_ms / 1000,
        command_timeout=None if as_owner else _silent_after_s(limits),
        statement_cache_size=200 if limits.statement_cache else 0,
        server_settings={"application_name": "shopdsr"},
    )
    try:
        yield Database(pool, limits, session)
    finally:
        pool.terminate()


async def _begin_session(connection: Connection, session: Session) -> None:
    """Make the settings of a session that is no other client's.

    Raises UnexpectedPooler.
    """
    async with connection.transaction():
        # Without a name, as another client may have used any name before on the server's side.
        process = await connection.prepare(sql("server_process"), name="")
        if await process.fetchval() != connection.get_server_pid():
            raise UnexpectedPooler
        await _make_settings(connection, session)


async def _make_settings(connection: Connection, session: Session) -> None:
    await connection.execute(session.statements(connection.get_server_version().major))


async def _keep_session(_connection: Connection) -> None:
    """Leave the session as it is: a reset would be a round trip."""


async def for_each(items: Iterable[Item], work: Callable[[Item], Awaitable[object]]) -> None:
    """Do the work for every item, one after another.

    The first failure is raised when all are done; Unavailable at once, as it concerns all items.
    """
    failures = []
    for item in items:
        try:
            await work(item)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - it is raised below, the rest is not its fault
            failures.append(error)
    if failures:
        raise failures[0]


async def refuse_unsafe(connection: Connection) -> None:
    """Raise UnsafeDatabase where a confirmed commit might not survive a crash."""
    off = [
        setting
        for setting in ("fsync", "full_page_writes", "synchronous_commit")
        if await connection.fetchval(sql("current_setting"), setting) == "off"
    ]
    if off:
        raise UnsafeDatabase(off)
