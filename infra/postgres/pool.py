"""Connections that are kept, and lent to one piece of work at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

IDLE_MAX_S: Final = 300.0
"""Longest time unused; one that the network drops meanwhile does not say so.

Looked at when the next one is lent, so after a burst a quiet worker keeps what it had.
"""

SILENT = (TimeoutError, asyncio.CancelledError)
"""What ends waiting for an answer of the server; one may still be on its way."""


class Pool:
    """At most `connections_max` connections, made by `connect` when there is none to lend.

    Work leaves nothing behind in a session, so none is reset: to take one back waits for nothing,
    where the driver's own pool takes two turns of the loop.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], connections_max: int, patience_s: float
    ) -> None:
        self._connect = connect
        self._places = asyncio.Semaphore(connections_max)
        self._patience_s = patience_s
        self._open: set[Connection] = set()
        self._idle: list[tuple[float, Connection]] = []

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """A connection for the block; one that was lost, or stays silent, is thrown away.

        Raises TimeoutError where `patience_s` is over, and what `connect` raises.
        """
        if not self._places.locked() and (connection := self._kept()):
            await self._places.acquire()
        else:
            async with asyncio.timeout(self._patience_s):
                connection = await self._wait()
        try:
            yield connection
        except SILENT:
            # Whatever else is said to such a server is waited for without end.
            connection.terminate()
            raise
        finally:
            self._take_back(connection)

    def end(self) -> None:
        """Throw all connections away; there are no new ones."""
        self._connect = _refuse
        for connection in self._open:
            connection.terminate()

    async def _wait(self) -> Connection:
        await self._places.acquire()
        try:
            connection = self._kept()
            if connection is None:
                connection = await self._connect()
                self._open.add(connection)
                if self._connect is _refuse:
                    self._throw_away(connection)
                    await _refuse()
        except BaseException:
            self._places.release()
            raise
        return connection

    def _kept(self) -> "Connection | None":
        """The connection that was used last, if any is good."""
        self._close_old()
        while self._idle:
            _, connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._throw_away(connection)
        return None

    def _take_back(self, connection: Connection) -> None:
        if connection.is_closed() or connection.is_in_transaction():
            self._throw_away(connection)
        else:
            self._idle.append((monotonic(), connection))
        self._places.release()

    def _close_old(self) -> None:
        oldest = monotonic() - IDLE_MAX_S
        while self._idle and self._idle[0][0] < oldest:
            _, connection = self._idle.pop(0)
            self._throw_away(connection)

    def _throw_away(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.terminate()


async def _refuse() -> Connection:
    raise ConnectionError("the pool has ended")
