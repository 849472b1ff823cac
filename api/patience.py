"""Waiting with an end, at next to no cost: one timer for all who wait."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Patience:
    """Ends what its tasks wait for when they have waited long enough.

    A timer for each of them would cost more than most of them wait for.
    """

    def __init__(self) -> None:
        self._ends: dict[asyncio.Task[Any], float] = {}
        self._ended: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, awaited: Awaitable[T], seconds: float) -> T:
        """What is awaited by the current task; raises TimeoutError after so many seconds."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        self._ends[task] = end = loop.time() + seconds
        if self._timer is None or end < self._timer.when():
            self._arm(loop, end)
        try:
            return await awaited
        except asyncio.CancelledError:
            if task in self._ended and task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            self._ended.discard(task)
            self._ends.pop(task, None)

    def _arm(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(at, self._end, loop)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for task in [task for task, end in self._ends.items() if end <= now]:
            del self._ends[task]
            self._ended.add(task)
            task.cancel()
        if self._ends:
            self._arm(loop, min(self._ends.values()))
