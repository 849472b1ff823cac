"""Requests that are framed to be understood in two ways, or in none: answered once, or cut off."""

import pytest

from tests.harness.server import Server

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b'{"marketplace":"taobao","category":"c","currency":"CNY"}'


def head(key: str) -> bytes:
    """Return a request up to how its body is framed."""
    return b"\r\n".join(
        [
            b"PUT /v1/shops/framed HTTP/1.1",
            b"Host: x",
            b"Content-Type: application/json",
            b"Authorization: Bearer " + key.encode(),
            b"",
        ]
    )


CONTRADICTIONS: dict[str, bytes] = {
    "two lengths": b"Content-Length: 56\r\nContent-Length: 6\r\n\r\n",
    "two equal lengths on a line": b"Content-Length: 56, 6\r\n\r\n",
    "a length and chunks": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks on two lines": b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "chunks of another coding": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks within identity": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks of another name": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks with a tab": b"Transfer-Encoding:\tchunked\x0b\r\n\r\n0\r\n\r\n",
    "chunks before a colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length with a plus": b"Content-Length: +6\r\n\r\n",
    "a length with a fraction": b"Content-Length: 6.0\r\n\r\n",
    "a hexadecimal length": b"Content-Length: 0x6\r\n\r\n",
    "a length past 64 bits": b"Content-Length: 18446744073709551617\r\n\r\n",
    "an empty length": b"Content-Length:\r\n\r\n",
    "a length of other digits": "Content-Length: \u0666\r\n\r\n".encode(),
    "a chunk size that is none": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a negative chunk": b"Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
    "a chunk past 64 bits": b"Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\na\r\n0\r\n",
    "a chunk that is longer": b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "a chunk without an end": b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n",
    "a fold": b"X-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a bare line feed": b"X-A: a\nContent-Length: 6\r\n\r\n",
    "a bare carriage return": b"X-A: a\rContent-Length: 6\r\n\r\n",
    "a blank before a colon": b"Content-Length : 6\r\n\r\n",
    "a header without a name": b": a\r\n\r\n",
    "a header without a colon": b"Content-Length\r\n\r\n",
    "NUL in a header": b"X-A: a\x00b\r\n\r\n",
    "NUL in a name": b"X\x00A: a\r\n\r\n",
}

# Lines may end in a line feed alone, says RFC 9112, section 2.2; the length is one then.
UNAMBIGUOUS = {"a bare line feed"}

FIRST_LINES: tuple[bytes, ...] = (
    b"GET",
    b"GET /livez",
    b"GET /livez HTTP/0.9",
    b"GET /livez HTTP/1.0",
    b"GET /livez HTTP/1.2",
    b"GET /livez HTTP/2.0",
    b"GET /livez HTTP/9.9",
    b"GET  /livez HTTP/1.1",
    b"GET /livez HTTP/1.1 x",
    b"GET\t/livez\tHTTP/1.1",
    b"GET http://elsewhere.test/livez HTTP/1.1",
    b"GET http://user:password@elsewhere.test:99999/livez HTTP/1.1",
    b"GET //elsewhere.test/livez HTTP/1.1",
    b"GET ///livez HTTP/1.1",
    b"GET /livez/../v1/shops HTTP/1.1",
    b"GET /./livez HTTP/1.1",
    b"GET livez HTTP/1.1",
    b"GET * HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT elsewhere.test:443 HTTP/1.1",
    b"GET /\xff\xfe HTTP/1.1",
    b"GET /\x00 HTTP/1.1",
    b"GET /livez#fragment HTTP/1.1",
    b"GET /" + b"a" * 60_000 + b" HTTP/1.1",
    b"G" * 10_000 + b" /livez HTTP/1.1",
    b"PRI * HTTP/2.0\r\n\r\nSM",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 100,
    b"\r\n" * 1_000 + b"GET /livez HTTP/1.1",
)


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_nothing_is_smuggled_behind_a_body_of_two_lengths(
    server: Server, key: str, name: str
) -> None:
    with server.raw_socket() as connection:
        connection.send(head(key) + CONTRADICTIONS[name] + BODY[:6] + SMUGGLED)
        statuses: list[int] = []
        while (status := connection.read_response().status) and len(statuses) < 3:
            statuses.append(status)
            if status == 404:
                break
    assert all(200 <= status < 500 for status in statuses), statuses
    assert 404 not in statuses or name in UNAMBIGUOUS, statuses


@pytest.mark.parametrize(
    "name",
    [
        *("two lengths", "two equal lengths on a line", "a negative length", "chunks twice"),
        *("chunks on two lines", "chunks of another coding", "chunks within identity"),
        *("chunks of another name", "chunks with a tab", "chunks before a colon"),
    ],
)
def test_a_body_framed_in_two_ways_or_in_none_that_is_known_is_refused(
    server: Server, key: str, name: str
) -> None:
    with server.raw_socket() as connection:
        connection.send(head(key) + CONTRADICTIONS[name] + BODY)
        assert connection.read_response().status in {0, 400}


@pytest.mark.parametrize("name", ["a length and chunks", "chunks and a length"])
def test_of_a_length_and_chunks_the_chunks_count_and_the_connection_ends(
    server: Server, key: str, name: str
) -> None:
    with server.raw_socket() as connection:
        connection.send(head(key) + CONTRADICTIONS[name] + SMUGGLED)
        first, second = connection.read_response(), connection.read_response()
    assert first.status == 400
    # The next request on the connection is the one that follows the chunks, or none.
    assert second.status in {0, 404}


@pytest.mark.parametrize("first", FIRST_LINES, ids=lambda line: line[:40])
def test_a_strange_first_line_is_answered_or_cut_off(server: Server, first: bytes) -> None:
    with server.raw_socket() as connection:
        connection.send(first + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = connection.read_response()
    assert answer.status == 0 or 200 <= answer.status < 500 or answer.status == 505, answer


def test_an_absolute_target_is_that_of_its_path(server: Server) -> None:
    with server.raw_socket() as connection:
        assert connection.request("GET", "http://elsewhere.test/livez").status == 200
        assert connection.request("GET", "http://elsewhere.test/v1/shops").status == 401


@pytest.mark.parametrize(
    ("first", "said", "status"),
    [
        (b"GET /v1/shops HTTP/1.1", b"Host: x", 200),
        (b"GET /v1/shops HTTP/1.1", b"Host:", 400),
        (b"GET /v1/shops HTTP/1.1", b"Host: x\r\nHost: y", 400),
        (b"GET /v1/shops HTTP/1.1", b"Host: x\r\nAuthorization: Bearer sdk_a_b", 401),
        (b"PUT /v1/shops/s HTTP/1.1", b"Host: x\r\nContent-Type: application/json;v=1", 400),
        (
            b"PUT /v1/shops/s HTTP/1.1",
            b"Host: x\r\nContent-Type: application/json;v=1\r\nContent-Type: text/plain",
            415,
        ),
    ],
)
def test_what_is_said_twice_is_not_taken_for_the_first(
    server: Server, key: str, first: bytes, said: bytes, status: int
) -> None:
    bearer = b"\r\nAuthorization: Bearer " + key.encode()
    with server.raw_socket() as connection:
        connection.send(first + b"\r\n" + said + bearer + b"\r\nContent-Length: 0\r\n\r\n")
        assert connection.read_response().status == status


@pytest.mark.parametrize("count", [50, 10_000])
def test_many_headers_are_answered_or_refused(server: Server, count: int) -> None:
    with server.raw_socket() as connection:
        answer = connection.request("GET", "/livez", [(b"X-%d" % n, b"a") for n in range(count)])
    assert answer.status in ({200} if count == 50 else {0, 400, 431})


@pytest.mark.parametrize("size", [8_000, 1_000_000, 20_000_000])
def test_a_head_over_its_limit_is_refused(server: Server, size: int) -> None:
    with server.raw_socket() as connection:
        answer = connection.request("GET", "/livez", [(b"X-Large", b"a" * size)])
    assert answer.status in ({200} if size == 8_000 else {0, 400, 431})
    assert server.memory_mib() < 300


def test_requests_in_a_row_are_answered_in_a_row(server: Server, key: str) -> None:
    ask = b"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key.encode() + b"\r\n\r\n"
    targets = [b"/livez", b"/v1/shops", b"/nowhere", b"/v1/shops/none"] * 50
    with server.raw_socket() as connection:
        connection.send(b"".join(ask % target for target in targets))
        statuses = [connection.read_response().status for _ in targets]
    assert statuses == [200, 200, 404, 404] * 50


def test_a_million_requests_in_a_row_are_not_held_in_memory(server: Server) -> None:
    request = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n"
    before = server.memory_mib()
    # Nobody reads the answers, so sooner or later nobody reads the requests either.
    with server.raw_socket(timeout_s=1) as connection, pytest.raises(TimeoutError):
        connection.send(request * 1_000_000)
    assert server.memory_mib() - before < 60


@pytest.mark.parametrize("target", [b"/livez", b"/v1/shops", b"/nowhere"])
@pytest.mark.parametrize("method", [b"GET", b"POST", b"OPTIONS"])
def test_a_request_without_a_host_or_with_two_is_refused(
    server: Server, method: bytes, target: bytes
) -> None:
    for hosts in (b"", b"Host: x\r\nHost: x\r\n"):
        with server.raw_socket() as connection:
            first = method + b" " + target + b" HTTP/1.1\r\n"
            assert connection.exchange(first + hosts + b"\r\n").status == 400


def test_http_1_0_needs_no_host(server: Server) -> None:
    with server.raw_socket() as connection:
        assert connection.exchange(b"GET /livez HTTP/1.0\r\n\r\n").status == 200


@pytest.mark.parametrize(
    "target",
    ["//metrics", "/metrics/", "//metrics/", "/metrics%2F", "/%2Fmetrics", "/%2fmetrics"],
)
def test_a_path_is_served_in_one_spelling(server: Server, target: str) -> None:
    with server.raw_socket() as connection:
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            assert connection.request(method, target).status == 404
        assert connection.request("GET", f"http://x{target}").status == 404
        assert connection.request("GET", "/%6D%65trics").status == 200


def test_websockets_are_off(server: Server) -> None:
    upgrade = [
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"websocket"),
        (b"Sec-WebSocket-Version", b"13"),
        (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    for target in ("/", "/livez", "/v1/events"):
        with server.raw_socket() as connection:
            assert connection.request("GET", target, upgrade).status in {200, 404, 405}


@pytest.mark.parametrize("preface", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_only_http_1_is_spoken(server: Server, preface: bytes) -> None:
    with server.raw_socket() as connection:
        connection.send(preface + b"\x00" * 9)
        assert connection.read_response().status in {0, 400, 505}
    with server.raw_socket() as connection:
        upgrade = [(b"Connection", b"Upgrade, HTTP2-Settings"), (b"Upgrade", b"h2c")]
        assert connection.request("GET", "/livez", upgrade).status == 200
