"""Requests as metrics and log lines tell of them, those of errors included, and nothing sent."""

import re
from collections.abc import Iterator

import pytest
from litestar import Litestar
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.api.samples import NDJSON, Client, event, lines, review, send, store

METRICS = {
    "shopdsr_request_duration_seconds",
    "shopdsr_events",
    "shopdsr_batches",
    "shopdsr_batch_events",
    "shopdsr_batch_wait_seconds",
    "shopdsr_pool_connections_max",
    "shopdsr_pool_connections_in_use",
    "shopdsr_pool_waits",
}
LOGGED = {
    *("event", "log_level", "method", "route", "status", "duration_ms", "bytes"),
    *("request_id", "tenant_id", "key_id"),
}


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    with capture_logs() as lines:
        yield lines


async def samples(client: Client, name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a metric by the values of their labels."""
    text = (await client.get("/metrics")).text
    return {
        tuple(label for of, label in sorted(sample.labels.items()) if of != "le"): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


async def test_the_names_of_all_metrics(client: Client) -> None:
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    names = {family.name for family in families}
    ours = {name for name in names if name.startswith("shopdsr_")}
    assert ours == METRICS
    assert all(re.match(r"(python|process)_", name) for name in names - ours)


async def test_requests_are_counted_by_method_route_and_status(shop: Client) -> None:
    await shop.get("/v1/shops/s/tier")
    await shop.get("/v1/shops/t/tier")
    await shop.get("/v1/shops/s/tier?x=1")
    await shop.get("/nowhere")
    await shop.post("/secret-path")
    await shop.patch("/v1/shops")
    await shop.request("BREW", "/v1/shops")
    counts = await samples(shop, "shopdsr_request_duration_seconds_count")
    tier = "/v1/shops/{shop_id}/tier"
    for status in ("200", "400", "404"):
        assert counts["GET", tier, status] == 1
    assert counts["GET", "unmatched", "404"] == 1
    assert counts["POST", "unmatched", "404"] == 1
    assert counts["PATCH", "unmatched", "405"] == 1
    assert counts["other", "unmatched", "405"] == 1
    assert counts["PUT", "/v1/shops/{shop_id}", "201"] == 1
    sums = await samples(shop, "shopdsr_request_duration_seconds_sum")
    assert 0 < sums["GET", tier, "200"] < 60


async def test_events_are_counted_by_type_and_outcome(shop: Client) -> None:
    await store(shop, review("a"), review("b"))
    await send(shop, [review("a"), event(type="order.shipped"), event(subject="nobody"), 5])
    await send(shop, lines([review("c"), event("listing.edited", data={"listing_id": ""})]), NDJSON)
    counts = await samples(shop, "shopdsr_events_total")
    assert counts == {
        ("stored", "review.posted"): 3,
        ("duplicate", "review.posted"): 1,
        ("unknown_shop", "review.posted"): 1,
        ("unknown_type", "unreadable"): 1,
        ("malformed", "unreadable"): 1,
        ("invalid", "unreadable"): 1,
    }


async def test_batches_and_connections_are_counted(shop: Client) -> None:
    await store(shop, review("a"))
    await store(shop, *(review(f"b-{number}") for number in range(60)))
    assert (await samples(shop, "shopdsr_batch_events_total"))["small",] == 1
    assert (await samples(shop, "shopdsr_batch_events_total"))["bulk",] == 60
    assert (await samples(shop, "shopdsr_batches_total"))["bulk",] == 1
    assert 0 < (await samples(shop, "shopdsr_batch_wait_seconds_total"))["bulk",] < 60
    assert await samples(shop, "shopdsr_pool_connections_max") == {(): 4}
    assert await samples(shop, "shopdsr_pool_connections_in_use") == {(): 0}


async def test_each_request_is_a_line_that_tells_who_asked(
    shop: Client, logged: list[EventDict]
) -> None:
    answer = await shop.get("/v1/shops/s/dsr?as_of=2026-11-20", headers={"x-request-id": "mine"})
    [line] = logged
    assert line.keys() == LOGGED
    assert line["event"] == "request"
    assert (line["method"], line["route"], line["status"]) == (
        "GET",
        "/v1/shops/{shop_id}/dsr",
        200,
    )
    assert line["bytes"] == len(answer.content)
    assert line["request_id"] == "mine"
    assert line["tenant_id"] == 1
    assert line["key_id"] == shop.headers["authorization"].split("_")[1]
    assert 0 < line["duration_ms"] < 60_000


async def test_refusals_and_bugs_are_lines_too(
    shop: Client, app: Litestar, logged: list[EventDict]
) -> None:
    await shop.get("/nowhere")
    await shop.patch("/v1/shops")
    await shop.get("/v1/shops", headers={"authorization": ""})
    ports, app.state.ports = app.state.ports, None
    broken = await shop.get("/readyz")
    app.state.ports = ports
    assert broken.status_code == 500
    requests = [line for line in logged if line["event"] == "request"]
    assert [line["status"] for line in requests] == [404, 405, 401, 500]
    assert [line["route"] for line in requests[:2]] == ["unmatched", "unmatched"]
    assert requests[2]["key_id"] is None
    [bug] = [line for line in logged if line["event"] == "bug"]
    assert bug["request_id"] == requests[3]["request_id"] == broken.headers["x-request-id"]
