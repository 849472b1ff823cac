"""Requests that wait form a batch, and an error of one request fails no other."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.errors import Unavailable
from infra.request_batcher import RequestBatcher

TIMEOUT_S = 0.1


class Work:
    """Doubles numbers, one batch at a time, each when the gate opens; odd ones may be errors."""

    def __init__(self, *, refuse_odd: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self._refuse_odd = refuse_odd

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        await self.gate.wait()
        if self._refuse_odd and any(number % 2 for number in numbers):
            raise ValueError(numbers)
        return [2 * number for number in numbers]


def batcher_of(
    work: Work, *, weight_max: int = 10, waiting_max: int = 100, timeout_s: float = 60.0
) -> RequestBatcher[int, int]:
    """Return a batcher with one queue."""
    return RequestBatcher(
        work,
        queues=1,
        weight_max=weight_max,
        waiting_max=waiting_max,
        timeout_s=timeout_s,
    )


async def started(work: Work, batches: int = 1) -> None:
    """Wait until so many batches have been begun."""
    async with asyncio.timeout(5):
        while len(work.batches) < batches:
            await asyncio.sleep(0)


async def test_the_first_request_starts_at_once_and_the_rest_form_a_batch() -> None:
    work = Work()
    batcher = batcher_of(work)
    requests = [asyncio.create_task(batcher.submit(number)) for number in range(6)]
    await started(work)
    work.gate.set()
    assert await asyncio.gather(*requests) == [0, 2, 4, 6, 8, 10]
    assert work.batches in ([[0], [1, 2, 3, 4, 5]], [[0, 1, 2, 3, 4, 5]])


async def test_batchers_with_a_lock_take_what_waits_when_they_acquire_it() -> None:
    batches: list[Sequence[int]] = []

    async def work(numbers: Sequence[int]) -> Sequence[int]:
        batches.append(numbers)
        await asyncio.sleep(0)
        return numbers

    lock = asyncio.Lock()
    large, small = (
        RequestBatcher(work, queues=1, weight_max=10, waiting_max=100, lock=lock) for _ in range(2)
    )
    async with lock:
        requests = [asyncio.create_task(large.submit(number, 10)) for number in (1, 2)]
        requests += [asyncio.create_task(small.submit(number)) for number in (3, 4, 5)]
        await asyncio.sleep(0.01)
    await asyncio.gather(*requests)
    assert batches == [[1], [3, 4, 5], [2]]


async def test_a_batch_stays_within_its_weight_unless_one_request_is_heavier() -> None:
    work = Work()
    work.gate.set()
    batcher = batcher_of(work, weight_max=10)
    requests = [
        batcher.submit(number, weight) for number, weight in ((1, 4), (2, 4), (3, 4), (4, 30))
    ]
    assert await asyncio.gather(*requests) == [2, 4, 6, 8]
    assert work.batches == [[1, 2], [3], [4]]


async def test_an_error_of_one_request_fails_no_other() -> None:
    work = Work(refuse_odd=True)
    work.gate.set()
    batcher = batcher_of(work)
    outcomes = await asyncio.gather(
        *(batcher.submit(number) for number in range(4)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [int, ValueError, int, ValueError]
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == [0, 4]


async def test_beyond_its_bound_a_request_is_refused_at_once() -> None:
    work = Work()
    batcher = batcher_of(work, waiting_max=3)
    first = asyncio.create_task(batcher.submit(1))
    await started(work)
    waiting = [asyncio.create_task(batcher.submit(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await batcher.submit(5)
    work.gate.set()
    assert await asyncio.gather(first, *waiting) == [2, 4, 6, 8]
    assert await batcher.submit(6) == 12


async def test_a_request_cancelled_while_waiting_costs_no_work() -> None:
    work = Work()
    batcher = batcher_of(work)
    first = asyncio.create_task(batcher.submit(1))
    await started(work)
    gone = asyncio.create_task(batcher.submit(2))
    stays = asyncio.create_task(batcher.submit(3))
    await asyncio.sleep(0)
    gone.cancel()
    work.gate.set()
    assert [await first, await stays] == [2, 6]
    assert work.batches == [[1], [3]]


async def test_a_request_cancelled_while_served_fails_no_other() -> None:
    work = Work()
    batcher = batcher_of(work)
    requests = [asyncio.create_task(batcher.submit(number)) for number in (1, 2)]
    await started(work)
    requests[0].cancel()
    work.gate.set()
    assert await requests[1] == 4


async def test_a_batch_that_is_unavailable_is_not_tried_one_by_one() -> None:
    tried: list[int] = []

    async def work(numbers: Sequence[int]) -> list[int]:
        tried.append(len(numbers))
        await asyncio.sleep(0)
        raise Unavailable

    batcher: RequestBatcher[int, int] = RequestBatcher(
        work, queues=1, weight_max=100, waiting_max=100
    )
    requests = (batcher.submit(number) for number in range(20))
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert len(tried) <= 2


async def test_no_request_waits_longer_than_the_timeout_whether_queued_or_served() -> None:
    work = Work()
    batcher = RequestBatcher(work, queues=1, weight_max=10, waiting_max=100, timeout_s=0.05)
    served = asyncio.create_task(batcher.submit(1))
    await started(work)
    await asyncio.sleep(0.03)
    queued = asyncio.create_task(batcher.submit(2))
    await asyncio.wait([served], timeout=5)
    assert not queued.done()
    outcomes = await asyncio.gather(served, queued, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    work.gate.set()
    assert await batcher.submit(3) == 6


async def test_a_request_that_timed_out_while_waiting_costs_no_work() -> None:
    work = Work()
    batcher = batcher_of(work, weight_max=1, timeout_s=TIMEOUT_S)
    requests = [asyncio.create_task(batcher.submit(number)) for number in (1, 2)]
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    work.gate.set()
    assert await batcher.submit(3) == 6
    assert work.batches == [[1], [3]]


async def test_a_response_after_the_timeout_harms_no_other_request() -> None:
    work = Work()
    batcher = batcher_of(work, timeout_s=TIMEOUT_S)
    with pytest.raises(Unavailable):
        await batcher.submit(1)
    later = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    work.gate.set()
    assert await later == 4
    assert work.batches == [[1], [2]]


async def test_an_error_after_the_timeout_is_not_tried_again() -> None:
    work = Work(refuse_odd=True)
    batcher = batcher_of(work, timeout_s=TIMEOUT_S)
    first = asyncio.create_task(batcher.submit(0))
    await started(work)
    requests = [asyncio.create_task(batcher.submit(number)) for number in (1, 3)]
    outcomes = await asyncio.gather(first, *requests, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    work.gate.set()
    assert await batcher.submit(4) == 8
    assert work.batches == [[0], [4]]
