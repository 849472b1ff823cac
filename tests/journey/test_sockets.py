"""What only a real server shows: raw paths, bodies in pieces, callers that hang up."""

import gzip
import json
from collections.abc import Iterator

import httpx

from tests.harness.client import NDJSON, TIMEOUT_S
from tests.harness.processes import wait_until
from tests.harness.raw_socket import raw_headers, request_bytes
from tests.harness.server import Server
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


def lines_of_edits() -> list[bytes]:
    return [json.dumps(edit(number)).encode() + b"\n" for number in range(EVENTS)]


def listed(client: httpx.Client) -> int:
    """Return how many listings the shop is known to have."""
    count, cursor = 0, ""
    while True:
        page = client.get(f"/v1/shops/s/listings?limit=500{cursor}").json()
        count += len(page["items"])
        if page["next_cursor"] is None:
            return count
        cursor = f"&cursor={page['next_cursor']}"


def test_a_stream_may_come_in_pieces_of_any_size(service: Server) -> None:
    body = b"".join(lines_of_edits())

    def pieces(data: bytes, size: int) -> Iterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    with service.tenant_client("pieces") as client:
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


def test_a_line_too_long_is_dropped_as_it_comes_in(service: Server) -> None:
    def pieces() -> Iterator[bytes]:
        yield json.dumps(edit(1)).encode() + b"\n"
        yield b'{"id": "'
        for _ in range(40):
            yield b"x" * 250_000
        yield b'"}\n'
        yield json.dumps(edit(2)).encode()

    with service.tenant_client("long-lines") as client:
        client.put("/v1/shops/s", json=SHOP)
        headers = {"content-type": NDJSON}
        answer = client.post("/v1/events", content=pieces(), headers=headers)
        assert answer.status_code == 207
        body = answer.json()
        assert (body["received"], body["stored"]) == (3, 2)
        assert [(item["index"], item["code"]) for item in body["rejected"]] == [(1, "too_large")]


def test_a_caller_who_hangs_up_leaves_whole_events_and_may_send_again(service: Server) -> None:
    lines = lines_of_edits()
    with service.tenant_client("hangs-up") as client:
        client.put("/v1/shops/s", json=SHOP)
        key = client.headers["authorization"].removeprefix("Bearer ")
        raw = request_bytes("POST", "/v1/events", raw_headers(key, NDJSON), b"".join(lines))
        with service.raw_socket() as connection:
            connection.send(raw[: raw.index(lines[4_500]) + 20])
            wait_until(lambda: listed(client) >= 3_000, TIMEOUT_S, "the first chunks are stored")
        headers = {"content-type": NDJSON}
        answer = client.post("/v1/events", content=b"".join(lines), headers=headers).json()
        assert answer["stored"] + answer["duplicates"] == EVENTS
        assert 3_000 <= answer["duplicates"] <= 4_500
        assert listed(client) == EVENTS
