"""The same facts from many clients at once, in any order and any pieces."""

import asyncio
import random
from collections.abc import Sequence

from tests.faults.caller import Answer, Caller
from tests.faults.cluster import Cluster
from tests.faults.crowd import Model
from tests.faults.figures import Figures, Form
from tests.faults.stage import Stage, stage
from tests.faults.stream import Json, batch, encoded, rating

TWINS = 16


def twins(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """One batch from sixteen clients at once: each fact is stored once, for one of them."""
    with stage(cluster, form, "twins", control=control) as on:
        sent = [
            [e for serial in range(3) for e in batch(on.clients.start, form.seed, number, serial)]
            for number in range(form.twins)
        ]
        asyncio.run(_twins(on, sent))
        on.check_against(Model(sent, []))
        return on.figures


async def _twins(on: Stage, sent: Sequence[list[Json]]) -> None:
    callers = [Caller(on.service.host, on.service.port, on.key) for _ in range(TWINS)]
    for events in sent:
        body = encoded(events)
        answers = await asyncio.gather(*(c.ask("POST", "/v1/events", body) for c in callers))
        on.figures.faults += TWINS - 1
        _told_once(on, [answer for answer in answers if _is_good(on, answer)], len(events))
    for caller in callers:
        caller.hang_up()


def _told_once(on: Stage, answers: Sequence[Answer], count: int) -> None:
    stored = sum(answer.json()["stored"] for answer in answers)
    on.figures.doubled += max(stored - count, 0)
    on.figures.lost += max(count - stored, 0)


def _is_good(on: Stage, answer: Answer) -> bool:
    on.figures.claim(answer.status == 200, f"answered {answer.status} {answer.body[:200].decode()}")
    return answer.status == 200


def rivals(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Ratings that share one cap arrive at once, each from a client of its own."""
    with stage(cluster, form, "rivals for one cap", control=control) as on:
        sent = asyncio.run(_rivals(on))
        on.figures.faults = len(sent)
        on.check_against(Model(sent, []))
        return on.figures


async def _rivals(on: Stage) -> list[list[Json]]:
    rng = random.Random(on.form.seed)
    callers = [Caller(on.service.host, on.service.port, on.key) for _ in range(TWINS)]
    sent: list[list[Json]] = []
    for number in range(on.form.twins):
        names = [f"{number}-{place}" for place in range(TWINS)]
        fresh = [[rating(on.clients.start, rng, "shop-0", name, f"b-{number}")] for name in names]
        answers = await asyncio.gather(
            *(c.ask("POST", "/v1/events", encoded(e)) for c, e in zip(callers, fresh, strict=True))
        )
        sent += [e for e, a in zip(fresh, answers, strict=True) if _is_good(on, a)]
    for caller in callers:
        caller.hang_up()
    return sent


def disorder(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """The stream shuffled, repeated and split: all answers are those of the ordered run."""
    with stage(cluster, form, "disorder", control=control) as on:
        rng = random.Random(form.seed)
        ordered = [
            event
            for number in range(form.twins * 6)
            for event in batch(on.clients.start, form.seed, number, 0)
        ]
        told = asyncio.run(_disorder(on, rng, ordered))
        on.figures.faults = len(told)
        stored = sum(answer.json()["stored"] for answer in told if _is_good(on, answer))
        on.figures.doubled += max(stored - len(ordered), 0)
        # The reference is told the events in order.
        on.check_against(Model([ordered], []))
        return on.figures


async def _disorder(on: Stage, rng: random.Random, ordered: list[Json]) -> list[Answer]:
    stream = [*ordered, *rng.sample(ordered, len(ordered) // 2)]
    rng.shuffle(stream)
    pieces = []
    while stream:
        size = rng.choice((1, 3, 30, 120))
        pieces.append(encoded(stream[:size]))
        del stream[:size]
    waiting = iter(pieces)
    answers: list[Answer] = []

    async def client() -> None:
        caller = Caller(on.service.host, on.service.port, on.key)
        for body in waiting:
            answer = await caller.ask("POST", "/v1/events", body)
            answers.append(answer)
        caller.hang_up()

    await asyncio.gather(*(client() for _ in range(TWINS // 2)))
    return answers
