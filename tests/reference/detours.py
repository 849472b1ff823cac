"""The same facts by longer ways: corrected, taken back and returned, with totals and gifts."""

import copy
import random
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from tests.reference.decoding import IDENTITIES
from tests.reference.edits import edit, retract
from tests.reference.rules import Json

STOCK = 7
"""The stock of every listing that has any."""

_LOCATIONS = {"north": 3, "south": 4, "仓库 3": -5}


def with_detours(events: Sequence[Json], seed: int) -> list[Json]:
    """Return events in random order that leave every figure as these do.

    Only some listings gain a stock, of `STOCK` units.
    """
    rng = random.Random(seed)
    alike: defaultdict[str, list[Json]] = defaultdict(list)
    listing_ids: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        alike[event["type"]].append(event)
        if event["type"] == "listing.published":
            listing_ids[event["subject"]].append(event["data"]["listing_id"])
    stream: list[Json] = []
    for event in events:
        last = event
        if event["type"] == "order.paid" and rng.random() < 0.3:
            last = _with_total(rng, event, rng.choice(listing_ids[event["subject"]]))
        way = rng.random()
        if way < 0.15:
            wrong = edit(event, rng.choice(alike[event["type"]]), rng.randint(0, 1), event["id"])
            stream += [wrong, revise(last, 2)]
        elif way < 0.3:
            stream += [last, retract(last, last["time"], 1, event["id"]), revise(last, 2)]
        elif way < 0.4:
            trial = _under_another_id(last)
            stream += [last, trial, retract(trial, last["time"], 1, event["id"])]
        else:
            stream.append(last)
        if event["type"] == "review.posted" and rng.random() < 0.1:
            removal = event | {"type": "review.removed", "data": {"reason": "other"}}
            removal["data"]["review_id"] = event["data"]["review_id"]
            stream += [removal, retract(removal, event["time"], 1, event["id"])]
        if event["type"] == "listing.published" and rng.random() < 0.1:
            stream += _stock_counts(event)
    rng.shuffle(stream)
    return stream


def revise(event: Json, revision: int) -> Json:
    """Return an event as a revision."""
    return event | {"data": event["data"] | {"revision": revision}}


def _with_total(rng: random.Random, order: Json, gift: str) -> Json:
    """Return an order with its sum as total, other amounts, and a gift."""
    lines: list[Json] = copy.deepcopy(order["data"]["lines"])
    total = sum(Decimal(line["amount"]) for line in lines)
    for line in lines:
        line |= {"amount": str(rng.randint(0, 99)), "variant_id": "tamanho único"}
    lines.append({"listing_id": gift, "quantity": 2, "amount": "5", "gift": True})
    paid = {"lines": lines, "total": f"{total:f}00", "currency": "BRL"}
    return order | {"data": order["data"] | paid}


def _under_another_id(event: Json) -> Json:
    name = next(iter(IDENTITIES[event["type"]]))
    return event | {"data": event["data"] | {name: f"trial {event['data'][name]}"}}


def _stock_counts(publication: Json) -> list[Json]:
    """Return counts of a listing's stock, the first of them corrected."""
    data = {"listing_id": publication["data"]["listing_id"]}
    counts = [
        publication | {"type": "stock.counted", "data": data | {"location": at, "on_hand": count}}
        for at, count in _LOCATIONS.items()
    ]
    wrong = counts[0] | {"data": counts[0]["data"] | {"on_hand": 999}}
    return [wrong, *(revise(count, 1) for count in counts)]
