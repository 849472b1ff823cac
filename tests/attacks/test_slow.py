"""Callers who are slow or silent: others are served all along, and the end is not put off."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.api.samples import event
from tests.attacks.conftest import World
from tests.attacks.server import Server, served, within
from tests.attacks.wire import Answer, Wire, request

SLOW = 1_200
HEADER_TIMEOUT_MS = 2_000
BODY_TIMEOUT_MS = 2_000
BACK_WITHIN_S = 8.0
LARGEST = 8 * 1024 * 1024
SHOP = b'{"marketplace":"taobao","category":"c","currency":"CNY"}'


def idle(_key: str) -> bytes:
    return b""


def half_a_head(_key: str) -> bytes:
    return b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "


def answered(_key: str) -> bytes:
    return b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def half_a_body(key: str) -> bytes:
    headers = [
        (b"Authorization", b"Bearer " + key.encode()),
        (b"Content-Type", b"application/json"),
    ]
    return request("PUT", "/v1/shops/slow", headers, SHOP)[:-10]


def half_a_body_without_a_key(_key: str) -> bytes:
    return request("PUT", "/v1/shops/slow", body=SHOP)[:-10]


def half_a_chunk(key: str) -> bytes:
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    framing = "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"
    return (head + framing).encode()


UNREAD = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 50

WAYS: list[Callable[[str], bytes]] = [
    idle,
    half_a_head,
    answered,
    half_a_body,
    half_a_body_without_a_key,
    half_a_chunk,
]


@contextmanager
def crowd(server: Server, count: int, raw: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that have sent something and go on with nothing."""
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", server.port))
            opened.append(one)
        unsent = set(opened)

        def all_sent() -> bool:
            for one in list(unsent):
                try:
                    one.send(raw) if raw else one.getpeername()
                except (BlockingIOError, OSError):
                    continue
                unsent.discard(one)
            return not unsent

        within(30, all_sent, "everyone has sent something")
        yield opened
    finally:
        for one in opened:
            one.close()


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with short timeouts, so that waiting for them is short too."""
    settings = {"header_timeout_ms": HEADER_TIMEOUT_MS, "body_timeout_ms": BODY_TIMEOUT_MS}
    with served(world.database_url, tmp_path_factory.mktemp("slow"), **settings) as running:
        yield running
        assert '"bug"' not in running.output


@pytest.mark.parametrize("way", WAYS)
def test_1200_slow_connections_keep_no_one_from_being_served(
    server: Server, key: str, way: Callable[[str], bytes]
) -> None:
    before = server.rss_mib()
    with crowd(server, SLOW, way(key)) as slow:
        for _ in range(20):
            with Wire(server.port, timeout_s=5) as wire:
                assert wire.ask("GET", "/livez").status == 200
        within(BACK_WITHIN_S, lambda: all(map(is_cut, slow)), "the slow ones are cut off")
    assert server.rss_mib() - before < 100


@pytest.mark.parametrize("way", [idle, half_a_head])
def test_a_server_without_a_free_connection_is_back_in_seconds(
    world: World, folder: Path, way: Callable[[str], bytes]
) -> None:
    settings = {"connections": 200, "header_timeout_ms": HEADER_TIMEOUT_MS}
    with served(world.database_url, folder, **settings) as server, crowd(server, 400, way("")):
        took = within(2 * BACK_WITHIN_S, lambda: is_alive(server), "the server is back")
    assert took < 2 * BACK_WITHIN_S


def test_a_body_may_be_slow_but_not_slower_than_its_rate(server: Server, key: str) -> None:
    raw = half_a_body(key)
    with Wire(server.port) as wire:
        started = time.monotonic()
        wire.send(raw)
        while time.monotonic() - started < BODY_TIMEOUT_MS / 1000 / 2:
            pause(0.3)
            wire.send(b" ")
        answer = wire.answer()
    assert answer.status == 400
    assert json.loads(answer.body)["detail"] == "The body did not arrive in time"
    assert BODY_TIMEOUT_MS / 1000 * 0.9 < time.monotonic() - started < BACK_WITHIN_S


def test_a_long_body_has_longer_for_each_byte_that_has_come(world: World, folder: Path) -> None:
    settings = {"body_timeout_ms": 500, "body_bytes_per_s": 20_000}
    key = world.key()
    with served(world.database_url, folder, **settings) as server, Wire(server.port) as wire:
        line = json.dumps(event()).encode()
        lines = (line + b"\n") * (40_000 // len(line))
        head = request(
            "POST",
            "/v1/events",
            [
                (b"Authorization", b"Bearer " + key.encode()),
                (b"Content-Type", b"application/x-ndjson"),
                (b"Content-Length", b"%d" % len(lines)),
            ],
        )
        wire.send(head)
        # Two seconds' worth at the slowest rate, in one and a half.
        parts = 15
        for number in range(parts):
            pause(0.1)
            wire.send(lines[len(lines) * number // parts : len(lines) * (number + 1) // parts])
        assert wire.answer().status == 422  # no shop of this name, so all of it was read


def test_bodies_that_are_held_back_take_no_more_memory_than_there_is_for_them(
    world: World, folder: Path
) -> None:
    key = world.key()
    auth = [(b"Authorization", b"Bearer " + key.encode()), (b"Content-Type", b"application/json")]
    nearly = request("POST", "/v1/shops", auth, b" " * LARGEST)[:-1]
    with served(world.database_url, folder, incoming_bytes=4 * LARGEST) as server:
        before = server.rss_mib()
        with ExitStack() as held:
            wires = [held.enter_context(Wire(server.port, timeout_s=2)) for _ in range(24)]
            for wire in wires:
                with suppress(OSError):  # it may have been cut off already
                    wire.send(nearly)
            refused = [answer for wire in wires if (answer := early(wire)) is not None]
            assert len(refused) >= 20
            assert {answer.status for answer in refused} <= {0, 503}
            assert server.peak_mib() - before < 3 * 4 * LARGEST / 1024 / 1024
            with Wire(server.port) as wire:
                assert wire.ask("GET", "/v1/shops", auth).status == 200
        with Wire(server.port) as wire:
            within(
                BACK_WITHIN_S,
                lambda: wire.ask("PUT", "/v1/shops/room", auth, SHOP).status in {200, 201},
                "there is room again",
            )


def test_a_stream_holds_only_what_is_not_stored_yet(world: World, folder: Path) -> None:
    key = world.key()
    auth = [
        (b"Authorization", b"Bearer " + key.encode()),
        (b"Content-Type", b"application/x-ndjson"),
    ]
    line = json.dumps(event()).encode() + b"\n"
    settings = {"incoming_bytes": LARGEST, "batch_bytes": LARGEST}
    with served(world.database_url, folder, **settings) as server, Wire(server.port) as wire:
        for body in (line * (3 * LARGEST // len(line)), b" " * 3 * LARGEST, b"\n" * 3 * LARGEST):
            assert wire.ask("POST", "/v1/events", auth, body).status in {200, 422}


def test_who_hangs_up_in_a_body_is_no_bug(server: Server, key: str) -> None:
    for way in (half_a_body, half_a_chunk):
        with crowd(server, 50, way(key)):
            pause(0.5)  # all of them are being read
    within(BACK_WITHIN_S, lambda: readiness(server) == 200, "the server answers")
    pause(0.5)  # whatever is to be said has been said
    assert '"bug"' not in server.output


def test_answers_that_nobody_reads_are_not_held_in_memory(server: Server) -> None:
    before = server.rss_mib()
    with crowd(server, 300, UNREAD):
        assert is_alive(server)
        assert server.rss_mib() - before < 300
    within(BACK_WITHIN_S, lambda: is_alive(server), "the server answers")


def test_sigterm_ends_the_server_within_10_s_whatever_callers_do(
    world: World, folder: Path, key: str
) -> None:
    with served(world.database_url, folder, workers=2) as server, ExitStack() as crowds:
        for way in WAYS:
            crowds.enter_context(crowd(server, 100, way(key)))
        crowds.enter_context(crowd(server, 50, UNREAD))
        server.terminate()
        assert server.exited_within(10) < 10
        assert '"bug"' not in server.output


def test_sigterm_is_told_by_readyz_before_anything_is_refused(world: World, folder: Path) -> None:
    key = world.key()
    auth = [(b"Authorization", b"Bearer " + key.encode())]
    with served(world.database_url, folder, drain_notice_ms=2_000) as server:
        with Wire(server.port) as wire:
            assert wire.ask("GET", "/readyz").status == 200
        server.terminate()
        within(2, lambda: readiness(server) == 503, "/readyz says no")
        with Wire(server.port) as wire:
            assert wire.ask("GET", "/v1/shops", auth).status == 200
            assert wire.ask("GET", "/livez").status == 200
        assert server.exited_within(10) < 10
        assert server.process.returncode == 0


def test_a_request_in_flight_is_answered_after_sigterm(world: World, folder: Path) -> None:
    key = world.key()
    with served(world.database_url, folder, drain_notice_ms=0) as server, Wire(server.port) as wire:
        raw = half_a_body(key)
        wire.send(raw)
        pause(0.3)
        server.terminate()
        within(5, lambda: not is_alive(server), "no new connection is taken")
        wire.send(SHOP[-10:])
        assert wire.answer().status == 201
        assert server.exited_within(10) < 10


def pause(seconds: float) -> None:
    """What a slow sender does between two parts."""
    threading.Event().wait(seconds)


def early(wire: Wire) -> Answer | None:
    """The answer to a request that is still being sent, if there is one within a moment."""
    try:
        return wire.answer()
    except TimeoutError:
        return None
    except OSError:
        return Answer(0, [], b"")


def is_cut(one: socket.socket) -> bool:
    """Whether the server has ended a connection."""
    try:
        while part := one.recv(65_536):
            del part
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def is_alive(server: Server) -> bool:
    try:
        with Wire(server.port, timeout_s=1) as wire:
            return wire.ask("GET", "/livez").status == 200
    except OSError:
        return False


def readiness(server: Server) -> int:
    with Wire(server.port, timeout_s=5) as wire:
        return wire.ask("GET", "/readyz").status
