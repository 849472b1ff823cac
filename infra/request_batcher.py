"""Joining: what waits while a piece of work runs goes together into the next one.

One commit then serves many small writes and one query many reads, and nothing waits for company:
the first comer starts at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Generic, NamedTuple, TypeVar

from domain.errors import Unavailable

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class _Waiting(NamedTuple, Generic[Asked, Answer]):
    asked: Asked
    weight: int
    since_s: float
    answer: "asyncio.Future[Answer]"


class RequestBatcher(Generic[Asked, Answer]):
    """Runs `work` on lists of what is asked, in at most `queues` tasks at a time.

    A list has at most `weight_max` in weight, or one member. Where the work fails for a list, each
    member is tried by itself, so that one member's trouble fails no other; where it is Unavailable
    it is so for all of them. Nobody waits longer than `patience_s`.

    Joiners that share a lock as `turn` work in turns, each on what waits when its turn comes.

    `batches`, `batched` and `waited_s` count the lists, their weight and the time that their
    members waited for them.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]],
        *,
        queues: int,
        weight_max: int,
        waiting_max: int,
        patience_s: float = 60.0,
        turn: AbstractAsyncContextManager[None] = nullcontext(),  # noqa: B008 - it has no state
    ) -> None:
        self.batches = self.batched = 0
        self.waited_s = 0.0
        self._work = work
        self._free = queues
        self._weight_max = weight_max
        self._waiting_max = waiting_max
        self._patience_s = patience_s
        self._turn = turn
        self._queue: deque[_Waiting[Asked, Answer]] = deque()
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked, weight: int = 1) -> Answer:
        """Return the answer to this, worked out together with whatever else is waiting.

        Raises Unavailable at once where too much is waiting already, and when patience ends.
        """
        if self._queue and self._waiting + weight > self._waiting_max:
            raise Unavailable("too much is waiting")
        loop = asyncio.get_running_loop()
        waiting: _Waiting[Asked, Answer] = _Waiting(
            asked, weight, loop.time(), loop.create_future()
        )
        self._queue.append(waiting)
        self._waiting += weight
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            async with asyncio.timeout(self._patience_s):
                return await waiting.answer
        except TimeoutError:
            raise Unavailable("waited too long") from None

    async def _drain(self) -> None:
        try:
            while self._queue:
                async with self._turn:
                    await self._run(self._next())
        finally:
            self._free += 1

    def _next(self) -> list[_Waiting[Asked, Answer]]:
        taken: list[_Waiting[Asked, Answer]] = []
        weight = 0
        while self._queue and (not taken or weight + self._queue[0].weight <= self._weight_max):
            weight += self._queue[0].weight
            taken.append(self._queue.popleft())
        self._waiting -= weight
        now_s = asyncio.get_running_loop().time()
        self.batches += 1
        self.batched += weight
        self.waited_s += sum(now_s - waiting.since_s for waiting in taken)
        return taken

    async def _run(self, taken: list[_Waiting[Asked, Answer]]) -> None:
        taken = [waiting for waiting in taken if not waiting.answer.done()]
        if not taken:
            return
        try:
            answers = await self._work([waiting.asked for waiting in taken])
        except Exception as error:  # noqa: BLE001 - it is the asker's, who is waiting for it
            for waiting in taken:
                if len(taken) == 1 or isinstance(error, Unavailable):
                    _fail(waiting, error)
                else:
                    await self._run([waiting])
            return
        for waiting, answer in zip(taken, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)


def _fail(waiting: _Waiting[Asked, Answer], error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)
