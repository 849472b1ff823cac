"""A budget of memory for bodies that are coming in, shared by all requests of a process."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

from api.problems import RETRY_AFTER_S, Problem

_NO_ROOM: Final = "Too many bodies are coming in"


class Reservation:
    """What one request holds of the room."""

    def __init__(self, room: "MemoryBudget") -> None:
        self._room = room
        self._bytes = 0

    def hold(self, count: int) -> None:
        """Hold so many bytes more; raises Problem `unavailable` where there is no room for them."""
        if self._room.free < count:
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise Problem("unavailable", _NO_ROOM, headers=headers)
        self._room.free -= count
        self._bytes += count

    def give_back(self) -> None:
        """Hold nothing any more."""
        self._room.free += self._bytes
        self._bytes = 0

    async def holding(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The parts as they come, each held."""
        async for part in parts:
            self.hold(len(part))
            yield part


class MemoryBudget:
    """So many bytes, of which `free` are held by no request."""

    def __init__(self, bytes_max: int) -> None:
        self.free = bytes_max

    @contextmanager
    def share(self) -> Iterator[Reservation]:
        """A share of one request, given back at its end."""
        share = Reservation(self)
        try:
            yield share
        finally:
            share.give_back()
