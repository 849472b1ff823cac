"""Callers who are slow or silent: others are served all along, and the end is not put off."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.api.samples import event
from tests.attacks.conftest import World
from tests.harness.client import JSON, NDJSON
from tests.harness.processes import wait_until
from tests.harness.raw_socket import RawResponse, RawSocket, raw_headers, request_bytes
from tests.harness.server import Server, serve

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
    return request_bytes("PUT", "/v1/shops/slow", raw_headers(key, JSON), SHOP)[:-10]


def half_a_body_without_a_key(_key: str) -> bytes:
    return request_bytes("PUT", "/v1/shops/slow", body=SHOP)[:-10]


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
    """Open connections that send some bytes and then nothing."""
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", server.port))
            opened.append(connection)
        unsent = set(opened)

        def all_sent() -> bool:
            for connection in list(unsent):
                try:
                    connection.send(raw) if raw else connection.getpeername()
                except (BlockingIOError, OSError):
                    continue
                unsent.discard(connection)
            return not unsent

        wait_until(all_sent, 30, "everyone has sent something")
        yield opened
    finally:
        for connection in opened:
            connection.close()


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Server]:
    """Run a server with short timeouts, so that waiting for them is short too."""
    settings = {"header_timeout_ms": HEADER_TIMEOUT_MS, "body_timeout_ms": BODY_TIMEOUT_MS}
    with serve(world.database_url, **settings) as running:
        yield running
        assert '"bug"' not in running.output


@pytest.mark.parametrize("way", WAYS)
def test_1200_slow_connections_keep_no_one_from_being_served(
    server: Server, key: str, way: Callable[[str], bytes]
) -> None:
    before = server.memory_mib()
    with crowd(server, SLOW, way(key)) as slow:
        for _ in range(20):
            with server.raw_socket(timeout_s=5) as connection:
                assert connection.request("GET", "/livez").status == 200
        wait_until(lambda: all(map(is_cut, slow)), BACK_WITHIN_S, "the slow ones are cut off")
    assert server.memory_mib() - before < 100


@pytest.mark.parametrize("way", [idle, half_a_head])
def test_a_server_without_a_free_connection_is_back_in_seconds(
    world: World, way: Callable[[str], bytes]
) -> None:
    settings = {"connections": 200, "header_timeout_ms": HEADER_TIMEOUT_MS}
    with serve(world.database_url, **settings) as server, crowd(server, 400, way("")):
        took = wait_until(
            lambda: server.get_status("/livez", timeout_s=1) == 200,
            2 * BACK_WITHIN_S,
            "the server is back",
        )
    assert took < 2 * BACK_WITHIN_S


def test_a_body_may_be_slow_but_not_slower_than_its_rate(server: Server, key: str) -> None:
    raw = half_a_body(key)
    with server.raw_socket() as connection:
        started = time.monotonic()
        connection.send(raw)
        while time.monotonic() - started < BODY_TIMEOUT_MS / 1000 / 2:
            pause(0.3)
            connection.send(b" ")
        answer = connection.read_response()
    assert answer.status == 400
    assert json.loads(answer.body)["detail"] == "The body did not arrive in time"
    assert BODY_TIMEOUT_MS / 1000 * 0.9 < time.monotonic() - started < BACK_WITHIN_S


def test_a_long_body_has_longer_for_each_byte_that_has_come(world: World) -> None:
    settings = {"body_timeout_ms": 500, "body_bytes_per_s": 20_000}
    key = world.key()
    with serve(world.database_url, **settings) as server, server.raw_socket() as connection:
        line = json.dumps(event()).encode()
        lines = (line + b"\n") * (40_000 // len(line))
        head = request_bytes(
            "POST",
            "/v1/events",
            [
                *raw_headers(key, NDJSON),
                (b"Content-Length", b"%d" % len(lines)),
            ],
        )
        connection.send(head)
        # Two seconds' worth at the slowest rate, in one and a half.
        parts = 15
        for number in range(parts):
            pause(0.1)
            connection.send(
                lines[len(lines) * number // parts : len(lines) * (number + 1) // parts]
            )
        assert (
            connection.read_response().status == 422
        )  # no shop of this name, so all of it was read


def test_bodies_that_are_held_back_take_no_more_memory_than_there_is_for_them(world: World) -> None:
    key = world.key()
    auth = raw_headers(key, JSON)
    nearly = request_bytes("POST", "/v1/shops", auth, b" " * LARGEST)[:-1]
    with serve(world.database_url, incoming_bytes=4 * LARGEST) as server:
        before = server.memory_mib()
        with ExitStack() as held:
            connections = [held.enter_context(server.raw_socket(timeout_s=2)) for _ in range(24)]
            for connection in connections:
                with suppress(OSError):  # it may have been cut off already
                    connection.send(nearly)
            refused = [
                answer for connection in connections if (answer := early(connection)) is not None
            ]
            assert len(refused) >= 20
            assert {answer.status for answer in refused} <= {0, 503}
            assert server.peak_memory_mib() - before < 3 * 4 * LARGEST / 1024 / 1024
            with server.raw_socket() as connection:
                assert connection.request("GET", "/v1/shops", auth).status == 200
        with server.raw_socket() as connection:
            wait_until(
                lambda: (
                    connection.request("PUT", "/v1/shops/later", auth, SHOP).status in {200, 201}
                ),
                BACK_WITHIN_S,
                "memory is free again",
            )


def test_a_stream_holds_only_what_is_not_stored_yet(world: World) -> None:
    key = world.key()
    auth = raw_headers(key, NDJSON)
    line = json.dumps(event()).encode() + b"\n"
    settings = {"incoming_bytes": LARGEST, "batch_bytes": LARGEST}
    with serve(world.database_url, **settings) as server, server.raw_socket() as connection:
        for body in (line * (3 * LARGEST // len(line)), b" " * 3 * LARGEST, b"\n" * 3 * LARGEST):
            assert connection.request("POST", "/v1/events", auth, body).status in {200, 422}


def test_who_hangs_up_in_a_body_is_no_bug(server: Server, key: str) -> None:
    for way in (half_a_body, half_a_chunk):
        with crowd(server, 50, way(key)):
            pause(0.5)  # all of them are being read
    wait_until(lambda: server.get_status("/readyz") == 200, BACK_WITHIN_S, "the server answers")
    pause(0.5)  # whatever is to be said has been said
    assert '"bug"' not in server.output


def test_answers_that_nobody_reads_are_not_held_in_memory(server: Server) -> None:
    before = server.memory_mib()
    with crowd(server, 300, UNREAD):
        assert server.get_status("/livez", timeout_s=1) == 200
        assert server.memory_mib() - before < 300
    wait_until(
        lambda: server.get_status("/livez", timeout_s=1) == 200, BACK_WITHIN_S, "the server answers"
    )


def test_sigterm_ends_the_server_within_10_s_whatever_callers_do(world: World, key: str) -> None:
    with serve(world.database_url, workers=2) as server, ExitStack() as crowds:
        for way in WAYS:
            crowds.enter_context(crowd(server, 100, way(key)))
        crowds.enter_context(crowd(server, 50, UNREAD))
        server.terminate()
        assert server.exit_seconds(10) < 10
        assert '"bug"' not in server.output


def test_sigterm_is_told_by_readyz_before_anything_is_refused(world: World) -> None:
    key = world.key()
    with serve(world.database_url, drain_notice_ms=2_000) as server:
        assert server.is_ready()
        server.terminate()
        wait_until(lambda: server.get_status("/readyz") == 503, 2, "/readyz says no")
        assert server.get_status("/v1/shops", key) == 200
        assert server.get_status("/livez") == 200
        assert server.exit_seconds(10) < 10
        assert server.process.returncode == 0


def test_a_request_in_flight_is_answered_after_sigterm(world: World) -> None:
    key = world.key()
    with serve(world.database_url, drain_notice_ms=0) as server, server.raw_socket() as connection:
        raw = half_a_body(key)
        connection.send(raw)
        pause(0.3)
        server.terminate()
        wait_until(
            lambda: server.get_status("/livez", timeout_s=1) == 0, 5, "no new connection is taken"
        )
        connection.send(SHOP[-10:])
        assert connection.read_response().status == 201
        assert server.exit_seconds(10) < 10


def pause(seconds: float) -> None:
    """Wait as a slow sender does between two parts."""
    threading.Event().wait(seconds)


def early(connection: RawSocket) -> RawResponse | None:
    """Return the response to an unfinished request, if it comes within a moment."""
    try:
        return connection.read_response()
    except TimeoutError:
        return None
    except OSError:
        return RawResponse(0, [], b"")


def is_cut(connection: socket.socket) -> bool:
    """Return whether the server has ended a connection."""
    try:
        while part := connection.recv(65_536):
            del part
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
