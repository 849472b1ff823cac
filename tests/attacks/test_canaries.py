"""Nothing that is secret or sent shows in output, log or metrics, whatever goes wrong."""

import asyncio
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.api.samples import event
from tests.attacks.conftest import World, new_world
from tests.attacks.operations import Operation, body_values, operations, replaced
from tests.attacks.test_keys import closed_to_connections
from tests.harness.postgres import execute
from tests.harness.processes import free_port, wait_until
from tests.harness.raw_socket import RawResponse, raw_headers
from tests.harness.server import Server, Shell, serve

IN_DSN = "canary-dsn-71a5"
IN_BODY = "canary-body-71a5"
IN_QUERY = "canary-query-71a5"
IN_PATH = "canary-path-71a5"
IN_HEADER = "canary-header-71a5"
IN_KEY = "canary-key-71a5"
CANARIES = (IN_DSN, IN_BODY, IN_QUERY, IN_PATH, IN_HEADER, IN_KEY, "canary")

# Each makes a statement fail in its own way, some with a message that quotes the row.
FAULTS = (
    "alter table ratings add constraint never check (comment is null) not valid",
    "alter table shops add constraint never check (category is null) not valid",
    "alter table api_keys add constraint never check (shop_ids is null) not valid",
    "alter table ladders rename to gone",
    "revoke select on rule_versions from shopdsr_service",
)


def with_password(url: str, password: str) -> str:
    """Return the address with a password, which a server that trusts ignores."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0] or "postgres"
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}"))


@pytest.fixture(scope="module")
def canary_world(postgres_url: str, template: str) -> Iterator[World]:
    """Create a database that these tests break."""
    with new_world(postgres_url, template) as made:
        yield made


@pytest.fixture(scope="module")
def canary_server(canary_world: World) -> Iterator[Server]:
    """Run a server whose database has a canary in its address."""
    url = with_password(canary_world.database_url, IN_DSN)
    with serve(url) as running:
        yield running


def spoilt(operation: Operation) -> Iterator[tuple[str, bytes | None, str]]:
    """Yield requests of an operation, good and bad, with canaries wherever something is sent."""
    paths = [operation.target(), operation.target(path=dict.fromkeys(operation.in_path, IN_PATH))]
    query = dict.fromkeys(operation.in_query, IN_QUERY)
    targets = [
        *paths,
        operation.target(query=query),
        f"{paths[0]}&{IN_QUERY}=1".replace("&", "?", 1),
    ]
    bodies: list[tuple[bytes | None, str]] = [(None, "application/json")]
    for media_type, good in operation.bodies.items():
        body = json.loads(good)
        for value in (f'"{IN_BODY}"', f'"{IN_BODY}', f'{{"{IN_BODY}": 1}}', f'"{IN_BODY}\\u0000"'):
            bodies += [
                (replaced(body, place, value.encode()), media_type) for place in body_values(body)
            ]
        bodies.append((good, f"{media_type}; charset={IN_HEADER}"))
    for target in targets:
        yield target, *bodies[0]
    for body, media_type in bodies:
        yield targets[0], body, media_type


def provoke(server: Server, key: str, every: int = 1) -> dict[int, int]:
    """Send spoilt requests, or a part of them; return the number of responses by status."""
    counts: dict[int, int] = {}
    with server.raw_socket() as connection:
        for operation in operations():
            for target, body, media_type in islice(spoilt(operation), None, None, every):
                headers = [
                    *raw_headers(key, media_type),
                    (b"X-Note", IN_HEADER.encode()),
                    (b"Cookie", IN_HEADER.encode()),
                    (b"If-None-Match", IN_HEADER.encode()),
                    (b"Prefer", IN_HEADER.encode()),
                ]
                answer: RawResponse = connection.request(operation.method, target, headers, body)
                counts[answer.status] = counts.get(answer.status, 0) + 1
    return counts


def test_no_canary_shows_whatever_goes_wrong(
    canary_server: Server, canary_world: World, postgres_url: str
) -> None:
    server, key = canary_server, canary_world.key()
    secret = key.split("_", 2)[2]
    first = provoke(server, key)
    assert {200, 400, 404, 415, 422} <= first.keys()
    assert first.keys().isdisjoint({500, 503})
    assert provoke(server, f"sdk_{'0' * 16}_{IN_KEY}", 20).keys() >= {401}
    assert provoke(server, IN_KEY, 20).keys() >= {401}
    for fault in FAULTS:
        asyncio.run(execute(canary_world.database_url, fault))
    reviewed = event(data={"comment": IN_BODY, "completed_at": None}, time="2026-01-15T00:00:00Z")
    with server.client(key) as client:
        answer = client.post("/v1/events", json=[reviewed])
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "canary" not in answer.text
    assert provoke(server, key, 5)[500] > 5
    with closed_to_connections(postgres_url, canary_world.database_url):
        wait_until(lambda: provoke(server, key, 40).get(503, 0) > 5, 6, "storage cannot serve")
    with server.client() as client:
        metrics = client.get("/metrics").text
    output = server.output
    bugs = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert any(bug["event"] == "bug" and bug["request_id"] and bug["error"] for bug in bugs)
    for canary in (*CANARIES, secret):
        assert canary not in output, _around(output, canary)
        assert canary not in metrics, canary
        for log in log_files(postgres_url):
            text = log.read_text("utf-8", errors="replace")
            assert canary not in text, (log, _around(text, canary))


BAD_DSNS = (
    "postgresql://user:{}@127.0.0.1:1/db",
    "postgresql://user:{}@127.0.0.1:notaport/db",
    "postgresql://user:{}@[::1/db",
    "postgresql://user:{}@nowhere.invalid/db",
    "postgresql://user:{}@/db?host=/nowhere",
    "postgresql://user:{}@127.0.0.1:1/db?sslmode=nonsense",
    "postgresql://user:{}@127.0.0.1:1/db?sslmode=verify-full&sslrootcert=/nowhere",
    "postgresql://user:{}%zz@127.0.0.1:99999/db",
    "postgresql://{}",
    "mysql://user:{}@127.0.0.1/db",
)


@pytest.mark.parametrize("dsn", BAD_DSNS)
def test_a_bad_address_is_refused_in_a_line_without_its_password(dsn: str) -> None:
    ended = Shell(database_url=dsn.format(IN_DSN), port=free_port()).run("serve")
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert "canary" not in said
    assert "Traceback" not in said


def log_files(postgres_url: str) -> list[Path]:
    """Return the logs of the database server, where it is on this machine."""

    async def folder() -> str:
        connection = await asyncpg.connect(postgres_url)
        try:
            path: str = await connection.fetchval("select current_setting('data_directory')")
            return path
        finally:
            await connection.close()

    place = Path(asyncio.run(folder()))
    return [*place.glob("**/*log"), *place.parent.glob("*log")] if place.exists() else []


def _around(text: str, canary: str) -> str:
    at = text.index(canary)
    return text[max(0, at - 300) : at + 100]
