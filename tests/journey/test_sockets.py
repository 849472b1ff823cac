"""What only a real server shows: raw paths, bodies in pieces, callers that hang up."""

import gzip
import http.client
import json
import time
from collections.abc import Iterator

import httpx

from tests.journey.process import PATIENCE_S, Service
from tests.journey.sending import NDJSON
from tests.reference.rules import Json

SHOP = {"marketplace": "taobao", "category": "c", "currency": "CNY"}
EVENTS = 6_000


def edit(number: int, **more: object) -> Json:
    return {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/pieces",
        "type": "listing.edited",
        "subject": "s",
        "time": "2024-11-20T00:00:00Z",
        "data": {"listing_id": f"l-{number}"},
        **more,
    }


def told() -> list[bytes]:
    return [json.dumps(edit(number)).encode() + b"\n" for number in range(EVENTS)]


def listed(client: httpx.Client) -> int:
    """How many listings the shop is known to have."""
    found, cursor = 0, ""
    while True:
        page = client.get(f"/v1/shops/s/listings?limit=500{cursor}").json()
        found += len(page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_a_stream_may_come_in_pieces_of_any_size(service: Service) -> None:
    body = b"".join(told())

    def pieces(data: bytes, size: int) -> Iterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    with service.client("pieces") as client:
        client.put("/v1/shops/s", json=SHOP)
        stored = 0
        for data, size, headers in (
            (body, 777, {}),
            (body, 100_000, {}),
            (gzip.compress(body), 10_007, {"content-encoding": "gzip"}),
            (
                gzip.compress(body[:999]) + gzip.compress(body[999:]),
                4_096,
                {"content-encoding": "gzip"},
            ),
        ):
            answer = client.post(
                "/v1/events",
                content=pieces(data, size),
                headers={"content-type": NDJSON, **headers},
            )
            expected = {
                "received": EVENTS,
                "stored": EVENTS - stored,
                "duplicates": stored,
                "rejected_count": 0,
                "rejected": [],
            }
            assert (answer.status_code, answer.json()) == (200, expected)
            stored = EVENTS


def test_a_line_too_long_is_dropped_as_it_comes_in(service: Service) -> None:
    def pieces() -> Iterator[bytes]:
        yield json.dumps(edit(1)).encode() + b"\n"
        yield b'{"id": "'
        for _ in range(40):
            yield b"x" * 250_000
        yield b'"}\n'
        yield json.dumps(edit(2)).encode()

    with service.client("long-lines") as client:
        client.put("/v1/shops/s", json=SHOP)
        headers = {"content-type": NDJSON}
        answer = client.post("/v1/events", content=pieces(), headers=headers)
        assert answer.status_code == 207
        body = answer.json()
        assert (body["received"], body["stored"]) == (3, 2)
        assert [(one["index"], one["code"]) for one in body["rejected"]] == [(1, "too_large")]


def test_a_caller_who_hangs_up_leaves_whole_events_and_may_send_again(service: Service) -> None:
    lines = told()
    with service.client("hangs-up") as client:
        client.put("/v1/shops/s", json=SHOP)
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE_S)
        connection.putrequest("POST", "/v1/events")
        connection.putheader("authorization", client.headers["authorization"])
        connection.putheader("content-type", NDJSON)
        connection.putheader("content-length", str(sum(map(len, lines))))
        connection.endheaders()
        connection.send(b"".join(lines[:4_500]) + lines[4_500][:20])
        deadline = time.monotonic() + PATIENCE_S
        while listed(client) < 3_000:
            assert time.monotonic() < deadline
        connection.close()
        headers = {"content-type": NDJSON}
        answer = client.post("/v1/events", content=b"".join(lines), headers=headers).json()
        assert answer["stored"] + answer["duplicates"] == EVENTS
        assert 3_000 <= answer["duplicates"] <= 4_500
        assert listed(client) == EVENTS


def test_no_raw_path_or_header_makes_a_5xx(service: Service) -> None:
    with service.client("raw") as client:
        client.put("/v1/shops/s", json=SHOP)
        authorization = client.headers["authorization"].encode()
        for segment in (
            b"%00",
            b"%FF",
            b"%ED%A0%80",
            b"%2F",
            b"%2e%2e%2f",
            b"..",
            b".",
            b"%",
            b"%zz",
            b"a" * 65,
            b"a" * 4_000,
            b"\xff",
            b"\xc3\xa9",
            b"a;b",
            b"[",
            b"|",
            b"",
        ):
            for path in (b"/" + segment, b"/v1/shops/" + segment, b"/v1/shops/%s/dsr" % segment):
                for query in (b"", b"?as_of=" + segment, b"?" + segment):
                    status = raw(service, path + query, authorization)
                    assert status < 500, (path, query)
        for value in (b"\xff", b"\x7f", b"a" * 4_000, b"Bearer \xff", b","):
            assert raw(service, b"/v1/shops/s/dsr", value) in {400, 401}
            for name in (b"if-none-match", b"x-request-id", b"accept", b"cookie"):
                assert raw(service, b"/v1/shops/s/dsr", authorization, (name, value)) < 500


def raw(
    service: Service, target: bytes, authorization: bytes, *headers: tuple[bytes, bytes]
) -> int:
    """The status of a GET whose bytes no library has looked at."""
    given = [
        (b"host", b"x"),
        (b"connection", b"close"),
        (b"authorization", authorization),
        *headers,
    ]
    lines = [b"GET " + target + b" HTTP/1.1", *(name + b": " + value for name, value in given)]
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE_S)
    try:
        connection.connect()
        connection.sock.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        answer.read()
        return answer.status
    finally:
        connection.close()
