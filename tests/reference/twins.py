"""Spell an event in another way, or change its content under its identity."""

import copy
import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.reference.instants import written
from tests.reference.rules import Json

_OPTIONAL = {
    "review.posted": (
        *("order_id", "buyer_id", "listing_id", "completed_at", "comment"),
        "revision",
    ),
    "review.removed": ("reason", "note"),
    "review.restored": ("reason", "note"),
    "order.paid": ("buyer_id", "total", "currency", "region", "revision"),
    "order.refunded": ("currency", "revision"),
    "listing.published": ("title",),
    "stock.counted": ("location",),
}


def respell(rng: random.Random, event: Json, delivery: str) -> Json:
    """Change everything about an event that is not its content."""
    twin: Json = copy.deepcopy(event)
    data: Json = twin["data"]
    twin |= {"id": delivery, "source": "/elsewhere", "time": _respelled(rng, twin["time"])}
    twin["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for holder, name in ((data, "completed_at"), (data.get("identity", {}), "time")):
        if holder.get(name) is not None:
            holder[name] = _respelled(rng, holder[name])
    for name in _OPTIONAL.get(twin["type"], ()):
        data.setdefault(name, None)
    if twin["type"] == "review.posted":
        for name in ("description", "service", "logistics"):
            data["scores"].setdefault(name, None)
    for line in data.get("lines", ()):
        line.setdefault("variant_id", None)
        line.setdefault("gift", rng.choice((None, False)))
    for holder in [*data.get("lines", ()), data]:
        if "amount" in holder:
            holder["amount"] = _shorter_amount(holder["amount"])
    twin["unknown"] = {"deep": [None, 1.5, 10**30, {"lines": False}]}
    twin["data"] = dict(reversed(data.items()))
    return dict(reversed(twin.items()))


def _respelled(rng: random.Random, text: str) -> str:
    return written(rng, datetime.fromisoformat(text))


def _shorter_amount(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def contradict(rng: random.Random, event: Json, delivery: str) -> Json | None:
    """Change some content of an event under its identity, None without content."""
    twin: Json = copy.deepcopy(event)
    twin["id"] = delivery
    data: Json = twin["data"]
    earlier = written(rng, datetime.fromisoformat(twin["time"]) - timedelta(microseconds=1))
    changes: list[tuple[Json, str, Any]]
    match twin["type"]:
        case "review.posted":
            completed = None if "completed_at" in data else twin["time"]
            changes = [
                (data, "completed_at", completed),
                (data, "comment", "!" + data.get("comment", "")[:1_999]),
                (data, "order_id", "o-other"),
                (data, "buyer_id", "b-other"),
                (data, "listing_id", "l-other"),
                (data, "scores", _other_scores(data["scores"])),
                (twin, "time", earlier),
            ]
        case "review.removed" | "review.restored":
            reason = None if "reason" in data else "other"
            changes = [(data, "reason", reason), (data, "note", "another")]
        case "order.paid":
            line = data["lines"][0]
            changes = [
                (data, "buyer_id", "b-other"),
                (data, "region", "else"),
                (data, "lines", _other_lines(data["lines"])),
                (line, "quantity", line["quantity"] % 1_000_000 + 1),
                (line, "amount", _other_amount(line["amount"])),
                (line, "listing_id", "l-other"),
                (line, "variant_id", "v-other"),
                (line, "gift", not line.get("gift")),
                (data, "total", _other_amount(data.get("total") or "0")),
                (twin, "time", earlier),
            ]
        case "order.refunded":
            changes = [
                (data, "amount", _other_amount(data["amount"])),
                (data, "order_id", "o-other"),
                (twin, "time", earlier),
            ]
        case "listing.published":
            changes = [(data, "title", "" if "title" not in data else data["title"][1:])]
        case "stock.counted":
            changes = [(data, "on_hand", (data["on_hand"] + 1) % 10**9)]
        case _:
            return None
    is_oldest = datetime.fromisoformat(twin["time"]).year <= 2_000
    holder, name, value = rng.choice(
        [change for change in changes if not (is_oldest and change[1] == "time")]
    )
    holder[name] = value
    return twin


def _other_scores(scores: Json) -> Json:
    if len(scores) > 1:
        return dict(list(scores.items())[1:])
    return {name: stars % 5 + 1 for name, stars in scores.items()}


def _other_lines(lines: list[Json]) -> list[Json]:
    """Reverse the lines where that changes them, else add or drop a line."""
    listings = [line["listing_id"] for line in lines]
    if listings != listings[::-1]:
        return lines[::-1]
    return lines[1:] if len(lines) > 1 else [*lines, {**lines[0], "amount": "0"}]


def _other_amount(text: str) -> str:
    return "8" if Decimal(text) == Decimal(7) else "7"
