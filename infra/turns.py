"""Turns: what computes for long lets other tasks run every few milliseconds."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from time import monotonic
from typing import Final, TypeVar

from domain.steps import Steps

T = TypeVar("T")

TURN_S: Final = 0.004
"""The time after which other tasks run."""

ITEMS_A_PART: Final = 200


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


async def parts(items: Iterable[T]) -> AsyncIterator[list[T]]:
    """Yield items some at a time."""
    remaining = iter(items)
    end_s = monotonic() + TURN_S
    while part := list(islice(remaining, ITEMS_A_PART)):
        yield part
        if monotonic() > end_s:
            await asyncio.sleep(0)
            end_s = monotonic() + TURN_S


async def each(rows: Iterable[T]) -> AsyncIterator[T]:
    """Yield rows one by one to a consumer that computes for each of them."""
    end_s = monotonic() + TURN_S
    for row in rows:
        yield row
        if monotonic() > end_s:
            await asyncio.sleep(0)
            end_s = monotonic() + TURN_S
