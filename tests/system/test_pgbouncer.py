"""The service behind pgbouncer: as it must be told of, and refused where it was not."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from infra.postgres.database import Connection, PoolLimits, open_database
from infra.postgres.sessions import ROLE
from tests.cli.test_database_choice import as_user, refusal
from tests.harness.client import BATCH
from tests.harness.postgres import Cluster
from tests.harness.server import Server, Shell
from tests.system.conftest import SERVER_CONNECTIONS, Pooler

CLIENTS = 12
BATCHES = 10
EVENTS = 20
LIMITS = PoolLimits(
    connections_max=2, statement_timeout_ms=1_234, lock_timeout_ms=567, statement_cache=False
)
UNEXPECTED = (
    "The database cannot serve: a pooler of connections is between, which needs "
    "SHOPDSR_STATEMENT_CACHE=false"
)


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    """Make an empty database."""
    with cluster.database() as url:
        yield url


def pooled_shell(url: str, **settings: object) -> Shell:
    """Return a shell whose settings say that there is a pooler."""
    return Shell(database_url=url, statement_cache="false", **settings)


def rating(client: int, number: int) -> dict[str, object]:
    """Return the event of a rating with an identity of its own."""
    name = f"{client}-{number}"
    return {
        "specversion": "1.0",
        "id": name,
        "source": "/system",
        "type": "review.posted",
        "subject": f"shop-{number % 3}",
        "time": (datetime.now(UTC) - timedelta(days=2)).isoformat(),
        "data": {
            "review_id": name,
            "order_id": name,
            "buyer_id": name,
            "scores": {"description": 5, "service": 4, "logistics": 3},
        },
    }


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("command", ["migrate", "serve"])
def test_a_pooler_that_was_not_told_of_is_refused(
    url: str, pooler: Pooler, mode: str, command: str
) -> None:
    with pooler(url, mode) as pooled:
        for _ in range(2):
            assert refusal(Shell(database_url=pooled), [command]) == UNEXPECTED


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_the_service_works_through_a_pooler_that_was_told_of(
    url: str, pooler: Pooler, mode: str
) -> None:
    with pooler(url, mode) as pooled:
        shell = pooled_shell(pooled, workers=2)
        assert shell.run("migrate").returncode == 0
        assert shell.run("migrate").stderr.endswith("The schema is up to date.\n")
        key = shell.create_key()
        with shell.serve() as server:
            asyncio.run(load(server, key))
            verified = server.shell.run("verify")
            assert verified.stderr.endswith("3 shops recounted, 0 wrong\n")
            assert server.stop() == 0


async def load(server: Server, key: str) -> None:
    """Record ratings from many clients at once, each batch twice, while scores are read."""
    shop = {"marketplace": "taobao", "category": "baby", "currency": "CNY"}
    async with server.async_client(key) as http:
        for number in range(3):
            await http.put(f"/v1/shops/shop-{number}", json=shop)

        async def send(client: int) -> int:
            stored = 0
            for start in range(0, BATCHES * EVENTS, EVENTS):
                events = [rating(client, start + number) for number in range(EVENTS)]
                for _ in range(2):
                    answer = await http.post(
                        "/v1/events", json=events, headers={"content-type": BATCH}
                    )
                    assert answer.status_code == 200
                    stored += answer.json()["stored"]
                assert (await http.get("/v1/shops/shop-0/scorecard")).status_code == 200
            return stored

        stored = await asyncio.gather(*(send(client) for client in range(CLIENTS)))
        assert stored == [BATCHES * EVENTS] * CLIENTS


async def test_each_transaction_has_role_isolation_and_timeouts_and_leaves_none(
    url: str, pooler: Pooler
) -> None:
    names = ("role", "transaction_isolation", "statement_timeout", "lock_timeout", "search_path")

    async def settings(connection: Connection) -> list[object]:
        return [await connection.fetchval(f"select current_setting('{name}')") for name in names]

    with pooler(url) as pooled:
        assert pooled_shell(pooled).run("migrate").returncode == 0
        async with open_database(pooled, LIMITS) as database:
            for _ in range(2 * SERVER_CONNECTIONS):
                assert await database.run(settings) == [
                    *(ROLE, "read committed", "1234ms", "567ms", "public")
                ]
            at_once = await database.run(settings, snapshot=True)
            assert at_once[1] == "repeatable read"
            assert await database.fetch("zones") == []
        plain = await asyncpg.connect(pooled, statement_cache_size=0)
        async with plain.transaction():
            assert (await settings(plain))[:4] == ["none", "read committed", "0", "0"]
        await plain.close()


def test_a_user_without_the_role_is_refused_through_a_pooler(
    cluster: Cluster, url: str, pooler: Pooler
) -> None:
    with pooler(url) as pooled:
        assert pooled_shell(pooled).run("migrate").returncode == 0
        cluster.sql("create role outsider login")
        cluster.sql("grant select on schema_migrations to outsider", url=url)
        try:
            sentence = refusal(pooled_shell(as_user(pooled, "outsider")), ["verify"])
            assert sentence.startswith("the user of the database may not act as the role")
        finally:
            cluster.sql("drop owned by outsider", url=url)
    cluster.sql("drop role outsider")
