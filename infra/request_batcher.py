"""Batching of requests: those that wait while a batch runs form the next batch.

One commit then serves many small writes and one query many reads. The first request starts at
once and does not wait for others.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Generic, NamedTuple, TypeVar

from domain.errors import Unavailable

Request = TypeVar("Request")
Response = TypeVar("Response")


class _Waiting(NamedTuple, Generic[Request, Response]):
    request: Request
    weight: int
    since_s: float
    response: "asyncio.Future[Response]"


class RequestBatcher(Generic[Request, Response]):
    """Runs `work` on batches of requests, in at most `queues` tasks at a time.

    A batch weighs at most `weight_max`, or has one request. Where the work fails for a batch, it is
    done for each request alone, so that an error of one request fails no other; Unavailable fails
    all of them. No request waits longer than `timeout_s`.

    Batchers that share a `lock` run one batch at a time, formed of the requests that wait when the
    lock is acquired.

    `batches`, `batched` and `waited_s` count the batches, their weight and the time that their
    requests waited before.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Request]], Awaitable[Sequence[Response]]],
        *,
        queues: int,
        weight_max: int,
        waiting_max: int,
        timeout_s: float = 60.0,
        lock: AbstractAsyncContextManager[None] = nullcontext(),  # noqa: B008 - it has no state
    ) -> None:
        self.batches = self.batched = 0
        self.waited_s = 0.0
        self._work = work
        self._free = queues
        self._weight_max = weight_max
        self._waiting_max = waiting_max
        self._timeout_s = timeout_s
        self._lock = lock
        self._queue: deque[_Waiting[Request, Response]] = deque()
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, request: Request, weight: int = 1) -> Response:
        """Return the response to a request, which is batched with the others that wait.

        Raises Unavailable at once where too much is waiting already, and at the timeout.
        """
        if self._queue and self._waiting + weight > self._waiting_max:
            raise Unavailable("too much is waiting")
        loop = asyncio.get_running_loop()
        waiting: _Waiting[Request, Response] = _Waiting(
            request, weight, loop.time(), loop.create_future()
        )
        self._queue.append(waiting)
        self._waiting += weight
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await waiting.response
        except TimeoutError:
            raise Unavailable("waited too long") from None

    async def _drain(self) -> None:
        try:
            while self._queue:
                async with self._lock:
                    await self._run(self._next_batch())
        finally:
            self._free += 1

    def _next_batch(self) -> list[_Waiting[Request, Response]]:
        batch: list[_Waiting[Request, Response]] = []
        weight = 0
        while self._queue and (not batch or weight + self._queue[0].weight <= self._weight_max):
            weight += self._queue[0].weight
            batch.append(self._queue.popleft())
        self._waiting -= weight
        now_s = asyncio.get_running_loop().time()
        self.batches += 1
        self.batched += weight
        self.waited_s += sum(now_s - waiting.since_s for waiting in batch)
        return batch

    async def _run(self, batch: list[_Waiting[Request, Response]]) -> None:
        batch = [waiting for waiting in batch if not waiting.response.done()]
        if not batch:
            return
        try:
            responses = await self._work([waiting.request for waiting in batch])
        except Exception as error:  # noqa: BLE001 - it is raised where the request waits
            for waiting in batch:
                if len(batch) == 1 or isinstance(error, Unavailable):
                    _fail(waiting, error)
                else:
                    await self._run([waiting])
            return
        for waiting, response in zip(batch, responses, strict=True):
            if not waiting.response.done():
                waiting.response.set_result(response)


def _fail(waiting: _Waiting[Request, Response], error: Exception) -> None:
    if not waiting.response.done():
        waiting.response.set_exception(error)
