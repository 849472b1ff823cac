"""What is small to send and large to take apart: memory stays bounded, and others are served."""

import gzip
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.api.samples import JSON, NDJSON
from tests.attacks.conftest import World
from tests.attacks.operations import Operation, operations
from tests.attacks.server import Server, served
from tests.attacks.values import BOMBS
from tests.attacks.wire import Answer, Wire

AT_ONCE = 4
GROWTH_MIB_MAX = 160.0
PATIENCE_S = 5.0
BATCH_BYTES = 8 * 1024 * 1024
STREAM_BYTES = 32 * 1024 * 1024


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes smaller streams, so that all of them take less time."""
    folder = tmp_path_factory.mktemp("server")
    with served(world.database_url, folder, stream_bytes=STREAM_BYTES) as running:
        yield running
        assert '"bug"' not in running.output


def packed(part: bytes, total: int) -> bytes:
    """The gzip of a part repeated up to so many bytes."""
    deflate = zlib.compressobj(9, wbits=31)
    whole, rest = divmod(total, len(part))
    found = [deflate.compress(part) for _ in range(whole)]
    return b"".join([*found, deflate.compress(part[:rest]), deflate.flush()])


def flood(
    server: Server, key: str, target: str, media_type: str, body: bytes, *, at_once: int = AT_ONCE
) -> list[Answer]:
    """The answers to one body sent several times at once, its memory and its neighbours watched."""
    answers: list[Answer] = []
    headers = [
        (b"Authorization", b"Bearer " + key.encode()),
        (b"Content-Type", media_type.encode()),
        (b"Content-Encoding", b"gzip"),
    ]
    method = (
        "PUT" if "/shops/" in target or "/rules/" in target or "/ladders/" in target else "POST"
    )

    def send() -> None:
        with Wire(server.port, timeout_s=120) as wire:
            answers.append(wire.ask(method, target, headers, body))

    senders = [threading.Thread(target=send) for _ in range(at_once)]
    before = server.rss_mib()
    server.forget_peak()
    with neighbour(server):
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(180)
    grown = server.peak_mib() - before
    assert grown < GROWTH_MIB_MAX, f"{grown:.0f} MiB"
    assert len(answers) == at_once
    assert all(200 <= answer.status < 500 for answer in answers), answers
    return answers


@contextmanager
def neighbour(server: Server) -> Iterator[None]:
    """Someone else, who is answered in time all along."""
    longest = 0.0
    done = threading.Event()

    def ask() -> None:
        nonlocal longest
        with Wire(server.port, timeout_s=60) as wire:
            while not done.is_set():
                started = time.monotonic()
                assert wire.ask("GET", "/livez").status == 200
                longest = max(longest, time.monotonic() - started)
                done.wait(0.01)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield
    finally:
        done.set()
        asker.join(90)
    assert longest < PATIENCE_S, f"someone else waited {longest:.1f} s"


@pytest.mark.parametrize(
    "operation", [one for one in operations() if one.bodies], ids=lambda o: o.name
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
