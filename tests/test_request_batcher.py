"""Joining requests: who waits goes together, and nobody pays for another's trouble."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.errors import Unavailable
from infra.request_batcher import RequestBatcher

PATIENCE_S = 0.1


class Work:
    """Doubles numbers, one list at a time, each when the test says so; odd ones are trouble."""

    def __init__(self, *, refuse_odd: bool = False) -> None:
        self.lists: list[list[int]] = []
        self.gate = asyncio.Event()
        self._refuse_odd = refuse_odd

    async def __call__(self, asked: Sequence[int]) -> list[int]:
        self.lists.append(list(asked))
        await self.gate.wait()
        if self._refuse_odd and any(number % 2 for number in asked):
            raise ValueError(asked)
        return [2 * number for number in asked]


def joiner(
    work: Work, *, weight_max: int = 10, waiting_max: int = 100, patience_s: float = 60.0
) -> RequestBatcher[int, int]:
    """One lane."""
    return RequestBatcher(
        work,
        queues=1,
        weight_max=weight_max,
        waiting_max=waiting_max,
        patience_s=patience_s,
    )


async def started(work: Work, lists: int = 1) -> None:
    """Wait until so many lists have been begun."""
    async with asyncio.timeout(5):
        while len(work.lists) < lists:
            await asyncio.sleep(0)


async def test_the_first_comer_starts_at_once_and_the_rest_go_together() -> None:
    work = Work()
    joined = joiner(work)
    asks = [asyncio.create_task(joined.ask(number)) for number in range(6)]
    await started(work)
    work.gate.set()
    assert await asyncio.gather(*asks) == [0, 2, 4, 6, 8, 10]
    assert work.lists in ([[0], [1, 2, 3, 4, 5]], [[0, 1, 2, 3, 4, 5]])


async def test_joiners_in_turns_take_what_waits_when_their_turn_comes() -> None:
    lists: list[Sequence[int]] = []

    async def work(asked: Sequence[int]) -> Sequence[int]:
        lists.append(asked)
        await asyncio.sleep(0)
        return asked

    turn = asyncio.Lock()
    large, small = (
        RequestBatcher(work, queues=1, weight_max=10, waiting_max=100, turn=turn) for _ in range(2)
    )
    async with turn:
        asks = [asyncio.create_task(large.ask(number, 10)) for number in (1, 2)]
        asks += [asyncio.create_task(small.ask(number)) for number in (3, 4, 5)]
        await asyncio.sleep(0.01)
    await asyncio.gather(*asks)
    assert lists == [[1], [3, 4, 5], [2]]


async def test_a_list_stays_within_its_weight_unless_one_member_is_heavier() -> None:
    work = Work()
    work.gate.set()
    joined = joiner(work, weight_max=10)
    asks = [joined.ask(number, weight) for number, weight in ((1, 4), (2, 4), (3, 4), (4, 30))]
    assert await asyncio.gather(*asks) == [2, 4, 6, 8]
    assert work.lists == [[1, 2], [3], [4]]


async def test_one_members_trouble_fails_no_other() -> None:
    work = Work(refuse_odd=True)
    work.gate.set()
    joined = joiner(work)
    found = await asyncio.gather(
        *(joined.ask(number) for number in range(4)), return_exceptions=True
    )
    assert [type(one) for one in found] == [int, ValueError, int, ValueError]
    assert [one for one in found if isinstance(one, int)] == [0, 4]


async def test_beyond_its_bound_a_request_is_refused_at_once() -> None:
    work = Work()
    joined = joiner(work, waiting_max=3)
    first = asyncio.create_task(joined.ask(1))
    await started(work)
    waiting = [asyncio.create_task(joined.ask(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await joined.ask(5)
    work.gate.set()
    assert await asyncio.gather(first, *waiting) == [2, 4, 6, 8]
    assert await joined.ask(6) == 12


async def test_who_hangs_up_while_waiting_costs_no_work() -> None:
    work = Work()
    joined = joiner(work)
    first = asyncio.create_task(joined.ask(1))
    await started(work)
    gone = asyncio.create_task(joined.ask(2))
    stays = asyncio.create_task(joined.ask(3))
    await asyncio.sleep(0)
    gone.cancel()
    work.gate.set()
    assert [await first, await stays] == [2, 6]
    assert work.lists == [[1], [3]]


async def test_who_hangs_up_while_served_fails_no_other() -> None:
    work = Work()
    joined = joiner(work)
    asks = [asyncio.create_task(joined.ask(number)) for number in (1, 2)]
    await started(work)
    asks[0].cancel()
    work.gate.set()
    assert await asks[1] == 4


async def test_what_is_unavailable_for_one_list_is_not_tried_one_by_one() -> None:
    tried: list[int] = []

    async def work(asked: Sequence[int]) -> list[int]:
        tried.append(len(asked))
        await asyncio.sleep(0)
        raise Unavailable

    joined: RequestBatcher[int, int] = RequestBatcher(
        work, queues=1, weight_max=100, waiting_max=100
    )
    asks = (joined.ask(number) for number in range(20))
    found = await asyncio.gather(*asks, return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
    assert len(tried) <= 2


async def test_nobody_waits_longer_than_patience_whether_queued_or_served() -> None:
    work = Work()
    joined = RequestBatcher(work, queues=1, weight_max=10, waiting_max=100, patience_s=0.05)
    served = asyncio.create_task(joined.ask(1))
    await started(work)
    await asyncio.sleep(0.03)
    queued = asyncio.create_task(joined.ask(2))
    await asyncio.wait([served], timeout=5)
    assert not queued.done()
    found = await asyncio.gather(served, queued, return_exceptions=True)
    assert [type(one) for one in found] == [Unavailable, Unavailable]
    work.gate.set()
    assert await joined.ask(3) == 6


async def test_whose_patience_ended_while_waiting_costs_no_work() -> None:
    work = Work()
    joined = joiner(work, weight_max=1, patience_s=PATIENCE_S)
    asks = [asyncio.create_task(joined.ask(number)) for number in (1, 2)]
    found = await asyncio.gather(*asks, return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
    work.gate.set()
    assert await joined.ask(3) == 6
    assert work.lists == [[1], [3]]


async def test_an_answer_that_comes_after_patience_ended_harms_nobody() -> None:
    work = Work()
    joined = joiner(work, patience_s=PATIENCE_S)
    with pytest.raises(Unavailable):
        await joined.ask(1)
    later = asyncio.create_task(joined.ask(2))
    await asyncio.sleep(0)
    work.gate.set()
    assert await later == 4
    assert work.lists == [[1], [2]]


async def test_trouble_that_comes_after_patience_ended_is_not_tried_again() -> None:
    work = Work(refuse_odd=True)
    joined = joiner(work, patience_s=PATIENCE_S)
    first = asyncio.create_task(joined.ask(0))
    await started(work)
    asks = [asyncio.create_task(joined.ask(number)) for number in (1, 3)]
    found = await asyncio.gather(first, *asks, return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
    work.gate.set()
    assert await joined.ask(4) == 8
    assert work.lists == [[0], [4]]
