"""First requests of event routers, SDKs and browsers: handshakes, binary mode, CORS."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from litestar.testing import AsyncTestClient

from api.ports import Limits, Ports
from shopdsr.app import create_app, open_ports
from tests.api.samples import (
    BATCH,
    DATA,
    JSON,
    SINGLE,
    Client,
    Json,
    event,
    problem,
    received,
    refusals,
    review,
    send,
)
from tests.conftest import POOL, Clock

MINIMAL = {"prefer": "return=minimal"}


def sdk_event(type_: str, **data: object) -> CloudEvent:
    """Return an event of the CloudEvents SDK."""
    sent = event(type_, data=data)
    attributes = {name: sent[name] for name in ("id", "source", "subject", "type", "specversion")}
    attributes["time"] = datetime.fromisoformat(sent["time"])
    return CloudEvent(attributes, sent["data"])


async def deliver(client: Client, message: HTTPMessage) -> Json:
    """Post a message of the SDK as it stands."""
    answer = await client.post("/v1/events", content=message.body, headers=message.headers)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


async def test_the_cloudevents_sdk_is_understood_in_both_modes(shop: Client) -> None:
    for type_ in DATA:
        sent = sdk_event(type_)
        assert await deliver(shop, to_structured_event(sent)) == received(1)
        assert await deliver(shop, to_binary_event(sent)) == received(0, duplicates=1)


async def test_events_of_the_sdk_are_understood_as_a_batch(shop: Client) -> None:
    messages = [to_structured_event(sdk_event(type_)) for type_ in DATA]
    body = b"[" + b",".join(message.body for message in messages) + b"]"
    assert (await send(shop, body, BATCH)).json() == received(len(messages))


def binary(**data: object) -> tuple[bytes, dict[str, str]]:
    """Return data, and the attributes of its event as headers."""
    sent = event(data=data)
    names = ("specversion", "id", "source", "type", "subject", "time")
    return json.dumps(sent["data"]).encode(), {f"ce-{name}": sent[name] for name in names}


@pytest.mark.parametrize(
    "media_type",
    [None, JSON, "application/vnd.shop.review+json", "application/a+json; charset=utf-8"],
)
async def test_binary_data_is_json_under_any_name_or_none(
    shop: Client, media_type: str | None
) -> None:
    body, headers = binary()
    typed = {} if media_type is None else {"content-type": media_type}
    answer = await shop.post("/v1/events", content=body, headers=headers | typed)
    assert answer.json() == received(1)


@pytest.mark.parametrize("media_type", [None, "text/plain", "text/a+json", "application/a+xml"])
async def test_other_bodies_are_refused(shop: Client, media_type: str | None) -> None:
    body, headers = binary()
    typed = {} if media_type is None else {"content-type": media_type}
    attributes = {} if media_type is None else headers
    answer = await shop.post("/v1/events", content=body, headers=attributes | typed)
    assert problem(answer, 415) == "unsupported_media_type"


def in_base64(data: bytes) -> Json:
    """Return a good event with its data in base64."""
    sent = event(data_base64=b64encode(data).decode())
    del sent["data"]
    return sent


async def test_data_may_come_in_base64(shop: Client) -> None:
    data = event()["data"]
    text = json.dumps(data, ensure_ascii=False).encode()
    for media_type, body in ((SINGLE, in_base64(text)), (BATCH, [in_base64(text)])):
        answer = await send(shop, body, media_type)
        assert answer.json()["rejected"] == []
    assert (await send(shop, event())).json() == received(0, duplicates=1)


async def test_faults_of_data_in_base64_are_told_as_of_data(shop: Client) -> None:
    wrong: list[tuple[Json, str, str]] = [
        (in_base64(b"{"), "malformed", "/data_base64"),
        (in_base64(b'"\xff"'), "malformed", "/data_base64"),
        ({**in_base64(b""), "data_base64": "e30"}, "malformed", "/data_base64"),
        ({**in_base64(b""), "data_base64": 5}, "malformed", "/data_base64"),
        ({**in_base64(b""), "data_base64": "é"}, "malformed", "/data_base64"),
        (in_base64(b"5"), "invalid", "/data"),
        (in_base64(b'{"review_id":"r"}'), "invalid", "/data/scores"),
    ]
    answer = await send(shop, [body for body, _, _ in wrong])
    assert refusals(answer) == [(at, "e-1", code) for at, (_, code, _) in enumerate(wrong)]
    listed = [item["errors"][0]["pointer"] for item in answer.json()["rejected"]]
    assert listed == [pointer for _, _, pointer in wrong]


async def test_a_caller_may_want_no_content(shop: Client) -> None:
    answer = await send(shop, event(), **MINIMAL)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["preference-applied"] == "return=minimal"
    both = {"prefer": "handling=strict, return=minimal"}
    answer = await send(shop, [event(), review("a")], **both)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["preference-applied"] == "handling=strict, return=minimal"


async def test_refusals_are_told_also_to_who_wants_no_content(shop: Client) -> None:
    answer = await send(shop, [event(), {}], **MINIMAL)
    assert refusals(answer) == [(1, None, "invalid")]
    assert "preference-applied" not in answer.headers
    assert problem(await send(shop, {}, **MINIMAL), 422) == "all_refused"


async def test_a_webhook_shakes_hands(anonymous: Client) -> None:
    origin = {"webhook-request-origin": "events.example"}
    answer = await anonymous.options("/v1/events", headers=origin)
    assert answer.status_code == 204
    assert answer.headers["webhook-allowed-origin"] == "events.example"
    assert answer.headers["webhook-allowed-rate"] == "*"
    assert "POST" in answer.headers["allow"]
    assert "webhook-allowed-origin" not in (await anonymous.options("/v1/events")).headers
    other = await anonymous.options("/v1/shops", headers=origin)
    assert "webhook-allowed-origin" not in other.headers


@asynccontextmanager
async def browsed(database_url: str, clock: Clock) -> AsyncIterator[Client]:
    """Yield a client of an application that pages of one origin may call."""

    @asynccontextmanager
    async def ports() -> AsyncIterator[Ports]:
        async with open_ports(database_url, POOL, Limits(requests_per_s=2), clock) as opened:
            yield opened

    async with AsyncTestClient(create_app(ports, ["https://shop.example"])) as client:
        yield client


async def test_pages_of_configured_origins_alone_may_call(database_url: str, clock: Clock) -> None:
    async with browsed(database_url, clock) as client:
        for origin, allowed in (("https://shop.example", True), ("https://other.example", False)):
            headers = {"origin": origin}
            answer = await client.get("/livez", headers=headers)
            assert ("access-control-allow-origin" in answer.headers) == allowed
            answer = await client.get("/v1/keys", headers=headers)
            assert answer.status_code == 401
            assert ("access-control-allow-origin" in answer.headers) == allowed
            wanted = {
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization, content-type",
            }
            answer = await client.options("/v1/events", headers=headers | wanted)
            assert answer.is_success == allowed
        hand = {"webhook-request-origin": "events.example"}
        answer = await client.options("/v1/events", headers=hand)
        assert answer.headers["webhook-allowed-rate"] == "120"


async def test_without_the_setting_no_page_may_call(anonymous: Client) -> None:
    answer = await anonymous.get("/livez", headers={"origin": "https://shop.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
