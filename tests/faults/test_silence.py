"""A database that is silent, or cannot serve: whoever asks is told so in time."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import Unavailable
from domain.recording import Submission
from infra.postgres.batching_ledger import BatchingLedger
from infra.postgres.database import Connection, PoolLimits, open_database
from infra.postgres.health import Health
from infra.postgres.ledger import Ledger
from infra.postgres.rules import RulesCache
from infra.postgres.scores import Scores
from infra.postgres.shop_cache import ShopCache
from tests.faults.proxy import Proxy, proxy
from tests.faults.stage import template
from tests.harness.postgres import SOCKET, Cluster, through

LIMITS = PoolLimits(connections_max=2, acquire_timeout_ms=500, statement_timeout_ms=500)
AT_MOST_S = 6.0
SLACK_S = 1.0


WHEN = ("before a connection", "before its work", "in its work", "at its end")


@pytest.mark.parametrize("when", WHEN)
def test_a_server_that_falls_silent_is_given_up_in_time(cluster: Cluster, when: str) -> None:
    with silent(cluster) as (url, between):

        async def work(connection: Connection) -> None:
            between.frozen = when == "in its work"
            await connection.execute("select 1")
            between.frozen = True

        async def given_up() -> float:
            async with open_database(url, LIMITS) as database:
                if when != "before a connection":
                    assert await Health(database).is_ready()
                between.frozen = when.startswith("before")
                started = time.monotonic()
                with pytest.raises(Unavailable):
                    await database.run(work)
                took = time.monotonic() - started
                assert not await Health(database).is_ready()
                between.frozen = False
                assert await Health(database).is_ready()
                assert took < database.work_timeout_s
                return took

        assert asyncio.run(given_up()) < AT_MOST_S


def test_requests_that_a_silent_server_has_are_all_given_up_after_one_deadline(
    cluster: Cluster,
) -> None:
    with silent(cluster) as (url, between):

        async def given_up() -> None:
            async with open_database(url, LIMITS) as database:
                assert await Health(database).is_ready()
                between.frozen = True
                shop_cache = ShopCache(database, RulesCache())
                ledger, scores = (
                    BatchingLedger(Ledger(database, shop_cache)),
                    Scores(database, shop_cache),
                )
                nothing = Submission(1, None, [])
                started = time.monotonic()
                results = await asyncio.gather(
                    *(ledger.record(nothing, datetime.now(UTC)) for _ in range(20)),
                    *(scores.shop_totals(1, ["s"]) for _ in range(20)),
                    return_exceptions=True,
                )
                assert {type(result) for result in results} == {Unavailable}
                assert time.monotonic() - started < database.work_timeout_s + SLACK_S

        asyncio.run(given_up())


def test_leaving_a_silent_server_waits_for_nothing(cluster: Cluster) -> None:
    with silent(cluster) as (url, between):

        async def left() -> float:
            async with open_database(url, LIMITS) as database:
                assert await Health(database).is_ready()
                between.frozen = True
                started = time.monotonic()
            return time.monotonic() - started

        assert asyncio.run(left()) < SLACK_S


@contextmanager
def silent(cluster: Cluster) -> Iterator[tuple[str, Proxy]]:
    """Put a database behind a proxy that can swallow all."""
    name, _ = template(cluster)
    with (
        cluster.database(template=name) as url,
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        proxy(Path(folder, SOCKET), cluster.folder / SOCKET, 1) as between,
    ):
        yield through(url, Path(folder)), between
