"""A database that is silent, or cannot serve: whoever asks is told so in time."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from domain.errors import Unavailable
from infra.joining import Joiner
from infra.postgres.database import Connection, PoolLimits, open_database
from infra.postgres.health import Health
from tests.faults.cluster import SOCKET, Cluster, through
from tests.faults.proxy import proxy
from tests.faults.stage import template

LIMITS = PoolLimits(connections_max=2, acquire_timeout_ms=500, statement_timeout_ms=500)
AT_MOST_S = 6.0


async def test_where_the_database_cannot_serve_joined_requests_are_not_tried_one_by_one() -> None:
    tried: list[int] = []

    async def work(asked: Sequence[int]) -> list[int]:
        tried.append(len(asked))
        await asyncio.sleep(0)
        raise Unavailable

    joined: Joiner[int, int] = Joiner(work, lanes=1, weight_max=100, waiting_max=100)
    asks = (joined.ask(number) for number in range(20))
    found = await asyncio.gather(*asks, return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
    assert len(tried) <= 2


async def test_nobody_waits_longer_than_patience_lasts() -> None:
    async def work(asked: Sequence[int]) -> list[int]:
        await asyncio.Event().wait()
        return list(asked)

    joined: Joiner[int, int] = Joiner(work, lanes=1, weight_max=1, waiting_max=100, patience_s=0.05)
    async with asyncio.timeout(AT_MOST_S):
        asks = (joined.ask(number) for number in range(3))
        found = await asyncio.gather(*asks, return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}


@pytest.mark.parametrize("sooner", [False, True], ids=["in its work", "before its work"])
def test_a_server_that_falls_silent_is_given_up_in_time(cluster: Cluster, *, sooner: bool) -> None:
    name, _ = template(cluster)
    with (
        cluster.database(template=name) as url,
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        proxy(Path(folder, SOCKET), cluster.folder / SOCKET, 1) as between,
    ):

        async def work(connection: Connection) -> None:
            between.frozen = True
            await connection.execute("select 1")

        async def given_up() -> float:
            async with open_database(through(url, Path(folder)), LIMITS) as database:
                assert await Health(database).is_ready()
                between.frozen = sooner
                asked = time.monotonic()
                with pytest.raises(Unavailable):
                    await database.run(work)
                took = time.monotonic() - asked
                assert not await Health(database).is_ready()
                between.frozen = False
                assert await Health(database).is_ready()
                return took

        assert asyncio.run(given_up()) < AT_MOST_S
