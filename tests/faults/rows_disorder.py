"""The same facts from many clients at once, in any order and any pieces."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from tests.faults.crowd import Model
from tests.faults.figures import Figures, Form
from tests.faults.stage import Stage, stage
from tests.faults.stream import Json, batch, encoded, post, rating
from tests.harness.postgres import Cluster

TWINS = 16


def twins(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Send a batch from sixteen clients at once: each fact is stored once."""
    with stage(cluster, form, "twins", control=control) as on:
        sent = [
            [e for serial in range(3) for e in batch(on.clients.start, form.seed, number, serial)]
            for number in range(form.twins)
        ]
        asyncio.run(_twins(on, sent))
        on.check_against(Model(sent, []))
        return on.figures


async def _twins(on: Stage, sent: Sequence[list[Json]]) -> None:
    async with _clients(on, TWINS) as clients:
        for events in sent:
            body = encoded(events)
            answers = await asyncio.gather(*(post(client, body) for client in clients))
            on.figures.faults += TWINS - 1
            _stored_once(on, [answer for answer in answers if _is_good(on, answer)], len(events))


@asynccontextmanager
async def _clients(on: Stage, count: int) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(on.client()) for _ in range(count)]


def _stored_once(on: Stage, answers: Sequence[httpx.Response], count: int) -> None:
    stored = sum(answer.json()["stored"] for answer in answers)
    on.figures.doubled += max(stored - count, 0)
    on.figures.lost += max(count - stored, 0)


def _is_good(on: Stage, answer: httpx.Response) -> bool:
    on.figures.claim(
        answer.status_code == 200, f"answered {answer.status_code} {answer.text[:200]}"
    )
    return answer.status_code == 200


def rivals(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Send ratings that share a cap at once, each from a client of its own."""
    with stage(cluster, form, "rivals for one cap", control=control) as on:
        sent = asyncio.run(_rivals(on))
        on.figures.faults = len(sent)
        on.check_against(Model(sent, []))
        return on.figures


async def _rivals(on: Stage) -> list[list[Json]]:
    rng = random.Random(on.form.seed)
    sent: list[list[Json]] = []
    async with _clients(on, TWINS) as clients:
        for number in range(on.form.twins):
            fresh = [
                [rating(on.clients.start, rng, "shop-0", f"{number}-{place}", f"b-{number}")]
                for place in range(TWINS)
            ]
            answers = await asyncio.gather(
                *(post(c, encoded(e)) for c, e in zip(clients, fresh, strict=True))
            )
            sent += [e for e, a in zip(fresh, answers, strict=True) if _is_good(on, a)]
    return sent


def disorder(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Send the stream shuffled, repeated and split: the totals are those of the ordered run."""
    with stage(cluster, form, "disorder", control=control) as on:
        rng = random.Random(form.seed)
        ordered = [
            event
            for number in range(form.twins * 6)
            for event in batch(on.clients.start, form.seed, number, 0)
        ]
        answers = asyncio.run(_disorder(on, rng, ordered))
        on.figures.faults = len(answers)
        stored = sum(answer.json()["stored"] for answer in answers if _is_good(on, answer))
        on.figures.doubled += max(stored - len(ordered), 0)
        # The reference receives the events in order.
        on.check_against(Model([ordered], []))
        return on.figures


async def _disorder(on: Stage, rng: random.Random, ordered: list[Json]) -> list[httpx.Response]:
    stream = [*ordered, *rng.sample(ordered, len(ordered) // 2)]
    rng.shuffle(stream)
    pieces = []
    while stream:
        size = rng.choice((1, 3, 30, 120))
        pieces.append(encoded(stream[:size]))
        del stream[:size]
    waiting = iter(pieces)
    answers: list[httpx.Response] = []

    async def send(client: httpx.AsyncClient) -> None:
        for body in waiting:
            answers.append(await post(client, body))  # noqa: PERF401 - others add to it too

    async with _clients(on, TWINS // 2) as clients:
        await asyncio.gather(*map(send, clients))
    return answers
