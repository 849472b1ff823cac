"""A proxy that stands between two sides and cuts, delays or swallows what they say.

It runs in a thread of its own; its fields may be set at any time from any other.
"""

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

Address: TypeAlias = tuple[str, int] | Path

CHUNK_BYTES = 64 * 1024
_COMMIT = b"COMMIT;\0"


class Proxy:
    """Forwards from `listen` to `target`; every chance is drawn for each piece that passes.

    `cut_commits` lets COMMIT through, waits for the server's word that it is done and swallows
    it. `cut_answers` does so with any first word back. `cut_anywhere` forwards a part of a piece.
    Each then ends both connections. `frozen` swallows all and keeps connections open.
    """

    def __init__(self, listen: Address, target: Address, seed: int) -> None:
        self._listen, self._target = listen, target
        self._rng = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.cut_commits = self.cut_answers = self.cut_anywhere = self.delay_s = 0.0
        self.frozen = False
        self.commits_cut = self.answers_cut = self.pieces_cut = self.pieces_swallowed = 0

    @property
    def cuts(self) -> int:
        """Connections that were cut."""
        return self.commits_cut + self.answers_cut + self.pieces_cut

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)

    def stop(self) -> None:
        """End every connection and the thread."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        if isinstance(self._listen, Path):
            self._server = await asyncio.start_unix_server(self._join, self._listen)
        else:
            self._server = await asyncio.start_server(self._join, *self._listen, backlog=2048)

    async def _end(self) -> None:
        for listening in self._server.sockets:
            self._loop.remove_reader(listening.fileno())
        # Three turns later a connection that was taken just now has begun, and ends as the others.
        for _ in range(3):
            await asyncio.sleep(0)
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _join(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        writers = [to_near]
        with contextlib.suppress(OSError, asyncio.CancelledError):
            if isinstance(self._target, Path):
                far, to_far = await asyncio.open_unix_connection(self._target)
            else:
                far, to_far = await asyncio.open_connection(*self._target)
            writers.append(to_far)
            link = _Link()
            pumps = [
                asyncio.create_task(self._ask(near, to_far, link)),
                asyncio.create_task(self._answer(far, to_near, link)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: "_Link"
    ) -> None:
        while piece := await self._next(reader):
            link.committing = _COMMIT in piece
            link.waiting = True
            if not await self._forward(piece, writer):
                return

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: "_Link"
    ) -> None:
        while piece := await self._next(reader):
            if link.committing and self._drawn(self.cut_commits):
                self.commits_cut += 1
                return
            if link.waiting and self._drawn(self.cut_answers):
                self.answers_cut += 1
                return
            link.committing = link.waiting = False
            if not await self._forward(piece, writer):
                return

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        piece = await reader.read(CHUNK_BYTES)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        while self.frozen and piece:
            # What a dead machine does not get, it does not get later either.
            self.pieces_swallowed += 1
            piece = await reader.read(CHUNK_BYTES)
        return piece

    async def _forward(self, piece: bytes, writer: asyncio.StreamWriter) -> bool:
        cut = self._drawn(self.cut_anywhere)
        if cut:
            self.pieces_cut += 1
            piece = piece[: self._rng.randrange(len(piece))]
        writer.write(piece)
        await writer.drain()
        return not cut

    def _drawn(self, chance: float) -> bool:
        return bool(chance) and self._rng.random() < chance


class _Link:
    """What one connection waits for."""

    committing = False
    waiting = False


@contextmanager
def proxy(listen: Address, target: Address, seed: int) -> Iterator[Proxy]:
    """Run a proxy for the block."""
    running = Proxy(listen, target, seed)
    running.start()
    try:
        yield running
    finally:
        running.stop()
