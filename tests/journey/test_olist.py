"""Real shops, ratings, orders and listings in, the figures another program worked out for them out.

The data lie beside the repository and are not part of it. `.ci/run` fails when they are there
and this did not pass.
"""

import gzip
import json
import random

import httpx

from tests.conditions import OLIST, with_olist
from tests.harness.client import BATCH, NDJSON
from tests.harness.server import Server
from tests.reference.rules import Json

SHOPS, EVENTS = 1_610, 20_522


@with_olist
def test_thirty_real_shops_on_three_days(service: Server) -> None:
    shops = json.loads((OLIST / "shops.json").read_text(encoding="utf-8"))
    packed = (OLIST / "events.ndjson.gz").read_bytes()
    events = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    expected = json.loads((OLIST / "expected.json").read_text(encoding="utf-8"))
    assert (len(shops), len(events)) == (SHOPS, EVENTS)
    with service.tenant_client("olist") as client:
        for start in range(0, SHOPS, 1_000):
            portion = shops[start : start + 1_000]
            answer = client.post("/v1/shops", json=portion)
            assert answer.json()["created"] == len(portion), answer.text
        half = EVENTS // 2
        assert in_batches(client, events[:half]) == [half, 0]
        assert as_stream(client, events) == [EVENTS - half, half]
        assert figures(client, expected) == expected
        again = random.Random(1).sample(events, EVENTS)
        assert in_batches(client, again[:half]) == [0, half]
        assert as_stream(client, again) == [0, EVENTS]
        assert figures(client, expected) == expected
    verified = service.shell.run("verify")
    assert (verified.returncode, verified.stdout) == (0, ""), verified.stderr


def in_batches(client: httpx.Client, events: list[Json]) -> list[int]:
    """Send batches; return how many were stored and how many known."""
    totals = [0, 0]
    for start in range(0, len(events), 4_000):
        answer = client.post(
            "/v1/events",
            content=json.dumps(events[start : start + 4_000]).encode(),
            headers={"content-type": BATCH},
        )
        counted = added(answer)
        totals = [total + more for total, more in zip(totals, counted, strict=True)]
    return totals


def as_stream(client: httpx.Client, events: list[Json]) -> list[int]:
    """Send a gzipped stream; return how many were stored and how many known."""
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    headers = {"content-type": NDJSON, "content-encoding": "gzip"}
    return added(client.post("/v1/events", content=gzip.compress(lines), headers=headers))


def added(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["rejected_count"], body["rejected"]) == (0, [])
    return [body["stored"], body["duplicates"]]


def figures(client: httpx.Client, expected: Json) -> Json:
    """Return the figures of the service that the expected figures have."""
    by_day: Json = {}
    for day, by_shop in expected.items():
        by_day[day] = {}
        for shop_id in by_shop:
            card = client.get(f"/v1/shops/{shop_id}/scorecard?as_of={day}").json()
            dsr = client.get(f"/v1/shops/{shop_id}/dsr?as_of={day}").json()
            sold = card["sell_through"]
            by_day[day][shop_id] = {
                "description": card["dsr"]["description"],
                "sales": card["tier"]["sales"],
                "sell_through": {
                    name: sold[name] for name in ("status", "rate", "sold", "on_sale")
                },
                "uncounted": dsr["dsr"]["uncounted"],
            }
    return by_day
