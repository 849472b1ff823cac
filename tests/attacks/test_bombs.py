"""What is small to send and large to take apart: memory stays bounded, and others are served."""

import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from api.ports import Limits
from tests.api.samples import JSON, NDJSON, event
from tests.attacks.conftest import World
from tests.attacks.operations import Operation, operations
from tests.attacks.values import BOMBS
from tests.harness.raw_socket import RawResponse, RawSocket, raw_headers
from tests.harness.server import Server, serve

AT_ONCE = 4
GROWTH_MIB_MAX = 160.0
WAIT_S_MAX = 5.0
INCOMING_MIB = Limits().incoming_bytes_max >> 20
BATCH_BYTES = 8 * 1024 * 1024
STREAM_BYTES = 32 * 1024 * 1024


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Server]:
    """Run a server that takes smaller streams, so that all of them take less time."""
    with serve(world.database_url, stream_bytes=STREAM_BYTES) as running:
        yield running
        assert '"bug"' not in running.output


def packed(part: bytes, total: int) -> bytes:
    """Return the gzip of a part repeated up to so many bytes."""
    deflate = zlib.compressobj(9, wbits=31)
    whole, rest = divmod(total, len(part))
    parts = [deflate.compress(part) for _ in range(whole)]
    return b"".join([*parts, deflate.compress(part[:rest]), deflate.flush()])


def flood(
    server: Server,
    key: str,
    target: str,
    media_type: str,
    body: bytes,
    *,
    at_once: int = AT_ONCE,
    growth_mib_max: float = GROWTH_MIB_MAX,
) -> list[RawResponse]:
    """Send a body several times at once; no response is a 5xx but for memory."""
    headers = [*raw_headers(key, media_type), (b"Content-Encoding", b"gzip")]
    method = (
        "PUT" if "/shops/" in target or "/rules/" in target or "/ladders/" in target else "POST"
    )
    answers = ask_at_once(
        server,
        at_once,
        lambda connection: connection.request(method, target, headers, body),
        growth_mib_max,
    )
    # Of many at once the service may refuse some for now.
    allowed = {503} if at_once > AT_ONCE else set()
    assert all(answer.status < 500 or answer.status in allowed for answer in answers), answers
    return answers


def ask_at_once(
    server: Server, count: int, ask: Callable[[RawSocket], RawResponse], growth_mib_max: float
) -> list[RawResponse]:
    """Ask on several connections at once, with bounds on memory and on others' waiting."""
    answers: list[RawResponse] = []

    def send() -> None:
        with server.raw_socket(timeout_s=120) as connection:
            answers.append(ask(connection))

    senders = [threading.Thread(target=send) for _ in range(count)]
    before = server.memory_mib()
    server.forget_peak_memory()
    with other_caller(server):
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(180)
    grown = server.peak_memory_mib() - before
    assert grown < growth_mib_max, f"{grown:.0f} MiB"
    assert len(answers) == count
    return answers


@contextmanager
def other_caller(server: Server) -> Iterator[None]:
    """Ask all along as someone else, who must be answered in time."""
    longest = 0.0
    done = threading.Event()

    def ask() -> None:
        nonlocal longest
        with server.raw_socket(timeout_s=60) as connection:
            while not done.is_set():
                started = time.monotonic()
                assert connection.request("GET", "/livez").status == 200
                longest = max(longest, time.monotonic() - started)
                done.wait(0.01)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield
    finally:
        done.set()
        asker.join(90)
    assert longest < WAIT_S_MAX, f"someone else waited {longest:.1f} s"


@pytest.mark.parametrize(
    "operation", [operation for operation in operations() if operation.bodies], ids=lambda o: o.name
)
def test_no_bomb_takes_memory_that_grows_with_it(
    server: Server, key: str, operation: Operation
) -> None:
    for media_type in operation.bodies:
        for name, bomb in BOMBS.items():
            for shape in (bomb, b"[" + bomb + b"]", b'{"shop_id":' + bomb + b"}"):
                body = gzip.compress(shape, 6)
                answers = flood(server, key, operation.target(), media_type, body)
                assert len({answer.status for answer in answers}) == 1, (name, answers)


@pytest.mark.parametrize("kind", ["review.posted", "unknown"])
def test_many_batches_at_once_take_no_more_memory_than_the_budget_of_bodies(
    server: Server, key: str, kind: str
) -> None:
    data = {"comment": "x" * 1_300, "scores": {"service": 5}}
    batch = [
        event(kind, id=str(number), data={"review_id": str(number), **data})
        for number in range(4_000)
    ]
    answers = flood(
        server,
        key,
        "/v1/events",
        JSON,
        gzip.compress(json.dumps(batch).encode(), 6),
        at_once=40,
        growth_mib_max=INCOMING_MIB + GROWTH_MIB_MAX,
    )
    assert {answer.status for answer in answers} <= {200, 422, 503}
    assert any(answer.status != 503 for answer in answers)


@pytest.mark.parametrize("item", [b"0", b"{}", b"[]", b'""', b'{"a":0}', b"null"])
@pytest.mark.parametrize("target", ["/v1/events", "/v1/shops"])
def test_a_million_items_are_refused_for_what_they_are(
    server: Server, key: str, target: str, item: bytes
) -> None:
    items = (BATCH_BYTES - 2) // (len(item) + 1)
    body = gzip.compress(b"[" + b",".join([item] * items) + b"]", 6)
    answers = flood(server, key, target, JSON, body)
    assert {answer.status for answer in answers} == {413}


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"\n", id="line breaks"),
        pytest.param(b" \t\r\n", id="blank lines"),
        pytest.param(b"\n" * 999 + b"0", id="line breaks and a little"),
        pytest.param(b" ", id="a blank"),
        pytest.param(b"[", id="arrays"),
        pytest.param(b'"', id="quotes"),
        pytest.param(b"0\n", id="numbers"),
        pytest.param(b"{}\n", id="objects"),
        pytest.param(b"x" * 70_000 + b"\n", id="long lines"),
    ],
)
def test_a_stream_that_inflates_without_end_keeps_no_one_waiting(
    server: Server, key: str, part: bytes
) -> None:
    body = packed(part * (65_536 // len(part) or 1), STREAM_BYTES)
    answers = flood(server, key, "/v1/events", NDJSON, body, at_once=2)
    assert {answer.status for answer in answers} <= {200, 400, 413, 422}
