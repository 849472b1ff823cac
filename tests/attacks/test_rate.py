"""A limit on requests of a key: told in headers, refused with 429, and off unless it is set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.ports import Limits, Ports
from infra.postgres.database import Database
from shopdsr.app import create_app, open_ports
from shopdsr.settings import Settings, read_settings
from tests.api.conftest import with_key
from tests.api.samples import SHOP, Client, event, problem
from tests.conftest import POOL, Clock, new_key
from tests.contract.validation import check_async

RATE = 3


@pytest.fixture
async def limited(database_url: str, database: Database, clock: Clock) -> AsyncIterator[Client]:
    """Make a client of an application that takes three requests a second of each key."""

    @asynccontextmanager
    async def ports() -> AsyncIterator[Ports]:
        async with open_ports(database_url, POOL, Limits(requests_per_s=RATE), clock) as context:
            yield context

    async with AsyncTestClient(create_app(ports)) as client:
        client.event_hooks = {"response": [check_async]}
        client.headers["authorization"] = f"Bearer {await new_key(database, clock)}"
        yield client


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(
    limited: Client, clock: Clock
) -> None:
    for left in (2, 1, 0):
        answer = await limited.get("/v1/shops")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"key";q=3;w=1'
        assert answer.headers["ratelimit"] == f'"key";r={left};t=1'
        assert "retry-after" not in answer.headers
    for _ in range(5):
        answer = await limited.get("/v1/shops")
        assert problem(answer, 429) == "rate_limited"
        assert answer.headers["ratelimit-policy"] == '"key";q=3;w=1'
        assert answer.headers["ratelimit"] == '"key";r=0;t=1'
        assert answer.headers["retry-after"] == "1"
    clock.now += timedelta(seconds=1)
    answer = await limited.get("/v1/shops")
    assert (answer.status_code, answer.headers["ratelimit"]) == (200, '"key";r=2;t=1')


async def test_nothing_is_done_for_a_request_that_is_refused(limited: Client, clock: Clock) -> None:
    for _ in range(RATE):
        await limited.get("/v1/shops")
    assert problem(await limited.put("/v1/shops/s", json=SHOP), 429) == "rate_limited"
    assert problem(await limited.post("/v1/events", json=event()), 429) == "rate_limited"
    clock.now += timedelta(seconds=1)
    assert problem(await limited.get("/v1/shops/s"), 404) == "not_found"


async def test_every_answer_to_a_key_counts_and_tells_what_is_left(limited: Client) -> None:
    headers = {"content-type": "text/plain"}
    answers = [
        await limited.get("/v1/shops/none"),
        await limited.get("/v1/shops?limit=0"),
        await limited.post("/v1/events", content=b"x", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [404, 400, 415]
    assert [answer.headers["ratelimit"] for answer in answers] == [
        f'"key";r={left};t=1' for left in (2, 1, 0)
    ]


async def test_keys_are_counted_apart_and_what_is_open_is_not(
    limited: Client, database: Database, clock: Clock
) -> None:
    for _ in range(RATE + 1):
        await limited.get("/v1/shops")
    app: Litestar = limited.app
    other = with_key(app, limited, await new_key(database, clock))
    assert (await other.get("/v1/shops")).status_code == 200
    for _ in range(RATE + 1):
        for path in ("/livez", "/readyz", "/metrics", "/problems/rate_limited"):
            answer = await limited.get(path)
            assert answer.status_code == 200
            assert "ratelimit" not in answer.headers


async def test_a_guesser_spends_nothing_of_a_key(limited: Client) -> None:
    key = limited.headers["authorization"].removeprefix("Bearer ")
    guesser = with_key(limited.app, limited, f"{key}x")
    for _ in range(2 * RATE):
        answer = await guesser.get("/v1/shops")
        assert problem(answer, 401) == "unauthorized"
        assert "ratelimit" not in answer.headers
    assert (await limited.get("/v1/shops")).headers["ratelimit"] == '"key";r=2;t=1'


async def test_without_the_setting_there_is_no_limit_and_no_header(client: Client) -> None:
    for _ in range(20):
        answer = await client.get("/v1/shops")
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers
    assert read_settings({}).limits.requests_per_s is None
    assert read_settings({"SHOPDSR_RATE_PER_KEY": "7"}).limits.requests_per_s == 7
    assert Settings().rate_per_key == 0
