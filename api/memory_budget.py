"""A budget of memory for bodies and what is decoded of them, shared by all requests of a process.

Litestar bounds each body, not their sum.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from api.problems import RETRY_AFTER_S, Problem

BYTES_HELD_PER_BYTE = 2
"""A body and what is decoded of it take about so many bytes for each of the body."""


class Reservation:
    """The bytes that one request holds of a budget."""

    def __init__(self, budget: "MemoryBudget") -> None:
        self._budget = budget
        self._bytes = 0

    def reserve(self, count: int) -> None:
        """Reserve so many bytes more; raises Problem `unavailable` where too few are free."""
        if self._budget.free < count:
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise Problem("unavailable", "Too many bodies are in work", headers=headers)
        self._budget.free -= count
        self._bytes += count

    def release(self) -> None:
        """Give all reserved bytes back."""
        self._budget.free += self._bytes
        self._bytes = 0

    async def reserving(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield parts as they come, each with its bytes and those of its items reserved."""
        async for part in parts:
            self.reserve(BYTES_HELD_PER_BYTE * len(part))
            yield part


class MemoryBudget:
    """A number of bytes, of which `free` are reserved by no request."""

    def __init__(self, bytes_max: int) -> None:
        self.free = bytes_max

    @contextmanager
    def reservation(self) -> Iterator[Reservation]:
        """Open a reservation of one request, released at its end."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            reservation.release()
