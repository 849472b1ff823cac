"""Turns: what computes for long lets other tasks run every few milliseconds."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from time import monotonic
from typing import Final, TypeVar

from domain.steps import Steps

T = TypeVar("T")

TURN_S: Final = 0.004
"""The time after which other tasks run."""


async def in_turns(steps: Steps[T]) -> T:
    """Compute all steps, and return their result."""
    end_s = monotonic() + TURN_S
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
        if monotonic() > end_s:
            await asyncio.sleep(0)
            end_s = monotonic() + TURN_S


async def each(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield items one by one."""
    end_s = monotonic() + TURN_S
    for item in items:
        yield item
        if monotonic() > end_s:
            await asyncio.sleep(0)
            end_s = monotonic() + TURN_S
