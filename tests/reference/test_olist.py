"""The reference against figures another program worked out for real shops."""

import gzip
import json
from datetime import UTC, date, datetime

from tests.conditions import OLIST, with_olist
from tests.reference.detours import with_detours
from tests.reference.rules import Json
from tests.reference.scores import Reference


@with_olist
def test_thirty_real_shops_on_three_days() -> None:
    shops = json.loads((OLIST / "shops.json").read_text(encoding="utf-8"))
    reference, other = (Reference(datetime(2020, 1, 1, tzinfo=UTC)) for _ in range(2))
    reference.put_shops(shops)
    other.put_shops(shops)
    with gzip.open(OLIST / "events.ndjson.gz", "rt", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    answer = reference.post(events)
    assert answer.body == {
        "received": 20_522,
        "stored": 20_522,
        "duplicates": 0,
        "rejected_count": 0,
        "rejected": [],
    }
    assert other.post(with_detours(events, 1)).status == 200
    expected = json.loads((OLIST / "expected.json").read_text(encoding="utf-8"))
    for answering in (reference, other):
        figures = {
            day: {
                shop_id: _figures(answering, shop_id, date.fromisoformat(day))
                for shop_id in by_shop
            }
            for day, by_shop in expected.items()
        }
        assert figures == expected


def _figures(reference: Reference, shop_id: str, day: date) -> Json:
    card = reference.scorecard(shop_id, day)
    sell_through = card["sell_through"]
    return {
        "description": card["dsr"]["description"],
        "sales": card["tier"]["sales"],
        "sell_through": {
            name: sell_through[name] for name in ("status", "rate", "sold", "on_sale")
        },
        "uncounted": reference.dsr(shop_id, day)["dsr"]["uncounted"],
    }
