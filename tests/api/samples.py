"""Requests as callers write them, right but for what a test changes."""

import copy
import gzip
import json
from collections.abc import Iterable
from typing import Any, TypeAlias

import httpx
from litestar import Litestar
from litestar.testing import AsyncTestClient

Json: TypeAlias = dict[str, Any]
Client: TypeAlias = AsyncTestClient[Litestar]

BATCH = "application/cloudevents-batch+json"
SINGLE = "application/cloudevents+json"
JSON = "application/json"
NDJSON = "application/x-ndjson"
PROBLEM = "application/problem+json"

SHOP: Json = {"marketplace": "taobao", "category": "baby", "currency": "CNY"}
NOON = "2026-11-20T12:00:00+08:00"

DATA: dict[str, Json] = {
    "review.posted": {
        "review_id": "r-1",
        "order_id": "o-1",
        "buyer_id": "b-1",
        "listing_id": "l-1",
        "scores": {"description": 5, "logistics": 4},
        "completed_at": "2026-11-18T09:00:00+08:00",
        "comment": "很好",
    },
    "review.removed": {"review_id": "r-1", "reason": "malicious", "note": "seen by hand"},
    "review.restored": {"review_id": "r-1", "reason": "other", "note": "put back"},
    "order.paid": {
        "order_id": "o-1",
        "buyer_id": "b-1",
        "lines": [
            {"listing_id": "l-1", "quantity": 2, "amount": "19.9"},
            {"listing_id": "l-2", "quantity": 1, "amount": "0"},
        ],
        "region": "浙江",
    },
    "order.refunded": {"refund_id": "f-1", "order_id": "o-1", "amount": "5.5"},
    "listing.published": {"listing_id": "l-1", "title": "Bib"},
    "listing.edited": {"listing_id": "l-1"},
    "listing.withdrawn": {"listing_id": "l-1"},
    "stock.counted": {"listing_id": "l-1", "on_hand": 7},
}
"""Good data of every event type."""


def event(type_: str = "review.posted", *, data: Json | None = None, **changes: object) -> Json:
    """Return a good event; `data` is laid over the type's, `changes` over the envelope."""
    return envelope(type_, {**copy.deepcopy(DATA.get(type_, {})), **(data or {})}, **changes)


def envelope(type_: str, data: Json, **changes: object) -> Json:
    """Return an event with this data alone."""
    attributes = {"specversion": "1.0", "id": "e-1", "source": "/backoffice/7", "type": type_}
    return {**attributes, "subject": "s", "time": NOON, "data": data, **changes}


def review(name: str, stars: int = 5, *, time: str = NOON, subject: str = "s") -> Json:
    """Return a rating of its own buyer, with its name for every id."""
    data = {"review_id": name, "order_id": name, "buyer_id": name, "scores": {"service": stars}}
    return event(id=f"e-{name}", data=data, time=time, subject=subject)


def lines(events: Iterable[object]) -> bytes:
    """Return values as NDJSON."""
    return b"".join(json.dumps(item).encode() + b"\n" for item in events)


def zipped(body: bytes) -> bytes:
    """Return text as a gzip member."""
    return gzip.compress(body, compresslevel=6, mtime=0)


async def open_shop(client: Client, shop_id: str = "s", **changes: object) -> None:
    """Register a shop."""
    answer = await client.put(f"/v1/shops/{shop_id}", json={**SHOP, **changes})
    assert answer.status_code in {200, 201}, answer.text


async def send(
    client: Client, body: object, media_type: str = JSON, **headers: str
) -> httpx.Response:
    """Post events, bytes as they are; `_` in header names means `-`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(
        "/v1/events", content=content, headers={"content-type": media_type, **named}
    )


async def store(client: Client, *events: Json) -> None:
    """Post events that must all be stored."""
    answer = await send(client, list(events))
    assert answer.json() == received(len(events)), answer.text


def received(stored: int, duplicates: int = 0) -> Json:
    """Return the answer when nothing is refused."""
    return {
        "received": stored + duplicates,
        "stored": stored,
        "duplicates": duplicates,
        "rejected_count": 0,
        "rejected": [],
    }


def refusals(answer: httpx.Response) -> list[tuple[int, str | None, str]]:
    """Return index, id and code of each refusal, and check the members."""
    body = answer.json()
    rejected = body["rejected"]
    assert body["received"] == body["stored"] + body["duplicates"] + body["rejected_count"]
    assert len(rejected) <= 1_000
    for item in rejected:
        assert item.keys() == {"index", "id", "code", "errors"}
        assert all(error.keys() == {"pointer", "detail"} for error in item["errors"])
    if answer.status_code == 422:
        assert problem(answer, 422) == "all_refused"
    elif body["rejected_count"]:
        assert answer.status_code == 207
    else:
        assert answer.status_code == 200
    return [(item["index"], item["id"], item["code"]) for item in rejected]


def problem(answer: httpx.Response, status: int) -> str:
    """Return the code of a problem document that is whole."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert body.keys() >= {"type", "title", "status", "detail", "code", "request_id", "errors"}
    assert body["status"] == status
    assert body["type"] == f"/problems/{body['code']}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    for error in body["errors"]:
        assert error["detail"]
        assert error.keys() in ({"detail", "pointer"}, {"detail", "parameter"})
    code: str = body["code"]
    return code


def parameters(answer: httpx.Response) -> list[str]:
    """Return the parameters that a 400 names."""
    assert problem(answer, 400) == "bad_parameter"
    return [error["parameter"] for error in answer.json()["errors"]]


def pointers(answer: httpx.Response) -> list[str]:
    """Return the pointers that a 422 names."""
    problem(answer, 422)
    return [error["pointer"] for error in answer.json()["errors"]]
