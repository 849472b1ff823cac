"""No request computes for long at a time: others are served in between."""

import asyncio
import json
import time

import pytest

from tests.api.samples import BATCH, JSON, NDJSON, SHOP, SINGLE, Client, event, refusals, send
from tests.harness.turns import TURN_MS_MAX, measured_turns

EVENT_BYTES = 512 * 1024
BATCH_BYTES = 8 * 1024 * 1024

LINE = b'{"listing_id":"l","quantity":1,"amount":"1.00"}'
LISTS = {
    "numbers": b"0",
    "arrays": b"[]",
    "objects": b"{}",
    "good lines": LINE,
    "lines without members": b'{"a":1}',
    "lines of arrays": b'{"a":[0,0,0,0]}',
}
"""Items of the lines of an order."""


def order(item: bytes, length: int, *, order_id: bytes = b"o") -> bytes:
    """Return an order of about so many bytes, its lines all the same."""
    text = json.dumps(event("order.paid")).encode()
    members = b'"data":{"order_id":"' + order_id + b'","lines":['
    lines = b",".join([item] * ((length - len(text)) // (len(item) + 1)))
    return text[: text.index(b'"data"')] + members + lines + b"]}}"


def many_members(length: int) -> bytes:
    """Return an event of about so many bytes of members that no event has."""
    members = b",".join(b'"member%d":0' % number for number in range(length // 18))
    return json.dumps(event(data={"scores": {}})).encode()[:-1] + b"," + members + b"}"


def test_a_turn_that_computes_for_long_is_measured() -> None:
    async def compute() -> None:
        end_s = time.thread_time() + 2 * TURN_MS_MAX / 1_000
        while time.thread_time() < end_s:
            pass

    with measured_turns(of_this_thread=True) as turns:
        asyncio.run(compute())
    assert turns.longest_ms > TURN_MS_MAX


@pytest.mark.parametrize("media_type", [SINGLE, BATCH, NDJSON])
@pytest.mark.parametrize("name", [*LISTS, "many members"])
async def test_the_faults_of_a_huge_event_are_told_in_short_turns(
    shop: Client, media_type: str, name: str
) -> None:
    length = BATCH_BYTES - 100 if media_type == BATCH else EVENT_BYTES - 100
    huge = many_members(length) if name == "many members" else order(LISTS[name], length)
    body = {SINGLE: huge, BATCH: b"[" + huge + b"]", NDJSON: (huge + b"\n") * 8}[media_type]
    with measured_turns() as turns:
        answer = await send(shop, body, media_type)
    assert answer.status_code == 422, answer.text
    assert {code for _, _, code in refusals(answer)} == (
        {"too_large"} if media_type == BATCH else {"invalid"}
    )
    assert turns.longest_ms < TURN_MS_MAX


async def test_many_bad_events_are_told_in_short_turns(shop: Client) -> None:
    bad = [event("order.paid", data={"lines": [{"a": 1}] * 9}) for _ in range(4_000)]
    for body, media_type in (
        (json.dumps(bad).encode(), BATCH),
        (b"\n".join(json.dumps(item).encode() for item in bad), NDJSON),
    ):
        with measured_turns() as turns:
            answer = await send(shop, body, media_type)
        assert answer.json()["rejected_count"] == len(bad)
        assert turns.longest_ms < TURN_MS_MAX


async def test_large_good_batches_are_decoded_in_short_turns(shop: Client) -> None:
    orders = [order(LINE, 500 * 48 + 180, order_id=b"%d" % number) for number in range(300)]
    for body, media_type in (
        (b"[" + b",".join(orders) + b"]", BATCH),
        (b"\n".join(orders), NDJSON),
    ):
        assert len(body) < BATCH_BYTES
        with measured_turns() as turns:
            answer = await send(shop, body, media_type)
        assert answer.status_code == 200, answer.text
        assert turns.longest_ms < TURN_MS_MAX


async def test_many_bad_shops_are_told_in_short_turns(shop: Client) -> None:
    body = [{**SHOP, "shop_id": "?", "kind": "x", "opened_on": 1, "a": [[]] * 2_000}] * 1_000
    with measured_turns() as turns:
        answer = await shop.post(
            "/v1/shops", content=json.dumps(body).encode(), headers={"content-type": JSON}
        )
    assert answer.json()["rejected_count"] == len(body)
    assert turns.longest_ms < TURN_MS_MAX
