"""Real shops, ratings, orders and listings in, the figures another program worked out for them out.

They are sent by detours: some wrong at first and then revised, some taken back and returned, some
orders with totals and gifts in place of plain lines.
The data lie beside the repository and are not part of it. `.ci/run` fails when they are there
and this did not pass.
"""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import httpx

from tests.conditions import OLIST, with_olist
from tests.harness.client import BATCH, NDJSON
from tests.harness.server import Server
from tests.reference.detours import STOCK, with_detours
from tests.reference.rules import Json
from tests.reference.scores import Reference

SHOPS, EVENTS = 1_610, 20_522


@with_olist
def test_thirty_real_shops_on_three_days(service: Server) -> None:
    shops = json.loads((OLIST / "shops.json").read_text(encoding="utf-8"))
    packed = (OLIST / "events.ndjson.gz").read_bytes()
    events = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    expected = json.loads((OLIST / "expected.json").read_text(encoding="utf-8"))
    assert (len(shops), len(events)) == (SHOPS, EVENTS)
    reference = Reference(datetime(2020, 1, 1, tzinfo=UTC))
    reference.put_shops(shops)
    events = with_detours(events, 1)
    verdicts = [reference.receive(event) for event in events]
    half = len(events) // 2
    later = verdicts[half:].count("stored")
    with service.tenant_client("olist") as client:
        for start in range(0, SHOPS, 1_000):
            portion = shops[start : start + 1_000]
            answer = client.post("/v1/shops", json=portion)
            assert answer.json()["created"] == len(portion), answer.text
        assert in_batches(client, events[:half]) == counted(verdicts[:half])
        assert as_stream(client, events) == [later, len(events) - later]
        assert figures(client, expected) == expected
        assert stocks(client, next(iter(expected.values()))) == {STOCK}
        again = random.Random(1).sample(events, len(events))
        assert in_batches(client, again[:half]) == [0, half]
        assert as_stream(client, again) == [0, len(events)]
        assert figures(client, expected) == expected
    verified = service.shell.run("verify")
    assert (verified.returncode, verified.stdout) == (0, ""), verified.stderr


def counted(verdicts: Sequence[str]) -> list[int]:
    """Return how many events are stored and how many known."""
    counts = Counter(verdicts)
    assert counts.keys() <= {"stored", "duplicate"}
    return [counts["stored"], counts["duplicate"]]


def in_batches(client: httpx.Client, events: list[Json]) -> list[int]:
    """Send batches; return how many were stored and how many known."""
    totals = [0, 0]
    for start in range(0, len(events), 4_000):
        answer = client.post(
            "/v1/events",
            content=json.dumps(events[start : start + 4_000]).encode(),
            headers={"content-type": BATCH},
        )
        totals = [total + more for total, more in zip(totals, added(answer), strict=True)]
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


def stocks(client: httpx.Client, shop_ids: Iterable[str]) -> set[int]:
    """Return the stocks of listings that have any."""
    items = [
        item
        for shop_id in shop_ids
        for item in client.get(f"/v1/shops/{shop_id}/listings?limit=500").json()["items"]
    ]
    return {item["stock"] for item in items} - {None}


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
