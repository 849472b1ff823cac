"""Waiting ends in time, for each that waits and for nobody else."""

import asyncio
from time import monotonic

import pytest

from api.patience import Patience


async def test_what_comes_in_time_is_had() -> None:
    patience = Patience()
    assert await patience.wait(asyncio.sleep(0.01, "here"), 5) == "here"


async def test_each_waits_as_long_as_it_has_patience() -> None:
    patience = Patience()

    async def waited(seconds: float) -> float:
        asked = monotonic()
        with pytest.raises(TimeoutError):
            await patience.wait(asyncio.Event().wait(), seconds)
        return monotonic() - asked

    lengths = (0.3, 0.1, 0.2)
    found = await asyncio.gather(*map(waited, lengths))
    for length, took in zip(lengths, found, strict=True):
        assert length <= took < length + 1


async def test_who_had_its_answer_is_not_disturbed_later() -> None:
    patience = Patience()
    assert await patience.wait(asyncio.sleep(0, 1), 0.05) == 1
    await asyncio.sleep(0.1)
    assert await patience.wait(asyncio.sleep(0, 2), 0.05) == 2


async def test_who_is_cancelled_by_others_stays_cancelled() -> None:
    patience = Patience()
    task = asyncio.create_task(patience.wait(asyncio.Event().wait(), 5))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
