"""Guessing keys is in vain and tells nothing; a revoked key ends everywhere."""

import asyncio
import hmac
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from litestar import Litestar

from infra.postgres.database import Database
from tests.api.conftest import with_key
from tests.api.samples import JSON, NDJSON, SHOP, Client, lines, problem, review
from tests.attacks.conftest import World
from tests.harness.postgres import database_name, database_of, execute
from tests.harness.processes import wait_until
from tests.harness.raw_socket import raw_headers, request_bytes
from tests.harness.server import Server, serve

EVERYWHERE_WITHIN_S = 5.0


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what checking a key costs: questions to the database, and comparisons."""
    done: Counter[str] = Counter()
    fetch, compare = Database.fetch, hmac.compare_digest

    async def counted_fetch(self: Database, name: str, *arguments: object) -> Any:
        done[name] += 1
        return await fetch(self, name, *arguments)

    def counted_compare(left: bytes, right: bytes) -> bool:
        done["compare"] += 1
        assert len(left) == len(right) == 32
        return compare(left, right)

    monkeypatch.setattr(Database, "fetch", counted_fetch)
    monkeypatch.setattr(hmac, "compare_digest", counted_compare)
    return done


async def test_an_unknown_id_costs_what_a_wrong_secret_costs(
    app: Litestar, client: Client, work: Counter[str]
) -> None:
    made = (await client.post("/v1/keys", json={"scopes": ["scores:read"]})).json()
    fresh = (await client.post("/v1/keys", json={"scopes": ["scores:read"]})).json()
    gone = (await client.post("/v1/keys", json={"scopes": ["scores:read"]})).json()
    assert (await client.delete(f"/v1/keys/{gone['id']}")).status_code == 204
    used = with_key(app, client, made["key"])
    assert (await used.get("/v1/shops")).status_code == 200
    costs = []
    for key_id in ("0" * 16, "f" * 64, "a", made["id"], fresh["id"], gone["id"]):
        guesser = with_key(app, client, f"sdk_{key_id}_{'x' * 43}")
        for _ in range(3):
            work.clear()
            assert problem(await guesser.get("/v1/shops"), 401) == "unauthorized"
            costs.append((work["find_key"], work["compare"] > 0, sum(work.values()) < 5))
    assert set(costs) == {(1, True, True)}


async def test_a_key_in_use_is_not_forgotten_for_the_guesses_of_others(
    app: Litestar, client: Client, work: Counter[str]
) -> None:
    assert (await client.get("/v1/shops")).status_code == 200
    key_id = client.headers["authorization"].split("_")[1]
    for secret in ("x", "x" * 43, "x" * 256):
        await with_key(app, client, f"sdk_{key_id}_{secret}").get("/v1/shops")
    work.clear()
    assert (await client.get("/v1/shops")).status_code == 200
    assert work["find_key"] == 0


async def test_every_refusal_of_a_key_reads_the_same(app: Litestar, client: Client) -> None:
    gone = (await client.post("/v1/keys", json={"scopes": ["admin"]})).json()
    await client.delete(f"/v1/keys/{gone['id']}")
    texts = set()
    for key in ("nonsense", f"sdk_{'0' * 16}_x", f"sdk_{gone['id']}_x", gone["key"]):
        answer = await with_key(app, client, key).get("/v1/keys", headers={"x-request-id": "r"})
        texts.add((answer.status_code, answer.text))
    assert len(texts) == 1


@pytest.fixture
def two(world: World) -> Iterator[Server]:
    """Run a server of two processes, each with a memory of its own."""
    with serve(world.database_url, workers=2) as server:
        assert len(server.workers) == 2
        yield server


def statuses(server: Server, key: str, count: int) -> Counter[int]:
    """Return the statuses of a key on new connections, which spread over the processes."""
    return Counter(server.get_status("/v1/shops", key) for _ in range(count))


def test_a_revoked_key_ends_in_every_process_within_5_s(two: Server, world: World) -> None:
    admin, doomed = world.key(), world.key()
    assert statuses(two, doomed, 60) == {200: 60}
    with two.client(admin) as client:
        assert client.delete(f"/v1/keys/{doomed.split('_')[1]}").status_code == 204
    revoked_at = time.monotonic()
    # It is used all along, which must not keep it alive.
    while time.monotonic() - revoked_at < EVERYWHERE_WITHIN_S:
        assert statuses(two, doomed, 5).keys() <= {200, 401}
    assert statuses(two, doomed, 60) == {401: 60}
    assert statuses(two, admin, 20) == {200: 20}


@pytest.mark.parametrize("end", ["revoked-here", "revoked-elsewhere", "expired"])
def test_a_key_that_ends_while_its_stream_is_open_stops_recording(world: World, end: str) -> None:
    def chunk(name: str) -> bytes:
        line = lines([review(name)])
        return b"%x\r\n%b\r\n" % (len(line), line)

    with (
        serve(world.database_url, stream_chunk_events=1) as server,
        server.client(world.key()) as admin,
        server.raw_socket() as stream,
    ):
        assert admin.put("/v1/shops/s", json=SHOP).status_code in {200, 201}
        expires_at = datetime.now(UTC) + timedelta(seconds=3) if end == "expired" else None
        key = world.key(expires_at=expires_at)
        stream.send(streamed(key) + chunk(f"{end}-0"))
        wait_until(lambda: f"{end}-0" in reviews(admin), 10, "the first line is stored")
        if end == "revoked-here":
            admin.delete(f"/v1/keys/{key.split('_')[1]}")
        elif end == "revoked-elsewhere":
            server.shell.run("keys", "revoke", "--tenant", "acme", key.split("_")[1])
        time.sleep(EVERYWHERE_WITHIN_S)
        stream.send(chunk(f"{end}-1"))
        answer = stream.read_response()
        assert f"{end}-0" in reviews(admin)
        assert f"{end}-1" not in reviews(admin)
    body = json.loads(answer.body)
    assert (answer.status, body["code"]) == (401, "unauthorized")
    assert (body["received"], body["stored"], body["rejected"]) == (1, 1, [])


def reviews(client: httpx.Client) -> set[str]:
    """Return the ids of the ratings of the shop."""
    items = client.get("/v1/shops/s/reviews").json()["items"]
    return {item["review_id"] for item in items}


def test_a_key_that_ends_while_a_body_comes_in_does_nothing(server: Server, world: World) -> None:
    key = world.key(expires_at=datetime.now(UTC) + timedelta(seconds=2))
    body = json.dumps(SHOP).encode()
    request = request_bytes("PUT", "/v1/shops/late", raw_headers(key, JSON), body)
    with server.raw_socket() as connection:
        connection.send(request[:-5])
        time.sleep(3)
        connection.send(request[-5:])
        assert connection.read_response().status == 401
    assert server.get_status("/v1/shops/late", world.key()) == 404


def streamed(key: str) -> bytes:
    """Return the head of a stream of lines."""
    head = request_bytes("POST", "/v1/events", raw_headers(key, NDJSON))
    return head[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"


def test_without_a_database_a_key_that_cannot_be_asked_for_is_503_and_not_401(
    two: Server, world: World, postgres_url: str
) -> None:
    known, unknown = world.key(), f"sdk_{'0' * 16}_x"
    assert statuses(two, known, 20) == {200: 20}
    with closed_to_connections(postgres_url, world.database_url):
        assert statuses(two, unknown, 10) == {503: 10}
        wait_until(
            lambda: statuses(two, known, 10) == {503: 10},
            EVERYWHERE_WITHIN_S + 1,
            "no process remembers the key any more",
        )
        with two.client(known) as client:
            answer = client.get("/v1/shops")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert two.get_status("/livez") == 200
        assert two.get_status("/readyz") == 503
    wait_until(lambda: statuses(two, known, 10) == {200: 10}, 10, "it is served again")
    assert statuses(two, unknown, 10) == {401: 10}
    assert '"bug"' not in two.output


class closed_to_connections:  # noqa: N801 - read as a phrase after `with`
    """A database that takes no connection, and has cut those it had."""

    def __init__(self, postgres_url: str, database_url: str) -> None:
        self._server = database_of(postgres_url, "postgres")
        self._name = database_name(database_url)

    def __enter__(self) -> None:
        self._allow("false")
        asyncio.run(
            execute(
                self._server,
                "select pg_terminate_backend(pid) from pg_stat_activity"
                f" where datname = '{self._name}'",
            )
        )

    def __exit__(self, *_: object) -> None:
        self._allow("true")

    def _allow(self, allowed: str) -> None:
        statement = f"alter database {self._name} allow_connections {allowed}"
        asyncio.run(execute(self._server, statement))
