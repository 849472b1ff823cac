"""Short words for small worlds: one line a fact."""

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from tests.reference.rules import BUILT_IN, Json
from tests.reference.scores import Reference

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = date(2026, 11, 21)
NOON = "T12:00:00+08:00"


def days_ago(days: int) -> date:
    """Return a day by its distance from `TODAY`."""
    return TODAY - timedelta(days=days)


def at_noon(days: int) -> str:
    """Return noon in Shanghai, so many days ago."""
    return days_ago(days).isoformat() + NOON


class SmallWorld:
    """A reference with the shop `s` of Shanghai, under the taobao rules with some of them changed.

    Every event sent is checked to be stored.
    """

    def __init__(
        self, *, currency: str = "CNY", zone: str = "Asia/Shanghai", **rules: object
    ) -> None:
        """Open the shop."""
        self.reference = Reference(NOW)
        self.reference.put_rules("own", {**BUILT_IN["taobao"], **rules})
        self._numbers = itertools.count()
        self.shop: Json = {
            "shop_id": "s",
            "marketplace": "m",
            "category": "c",
            "currency": currency,
            "time_zone": zone,
            "rules": "own",
        }
        self.reference.put_shop(self.shop)

    def open_shop(self, shop_id: str, **changes: object) -> None:
        """Open another shop like the first."""
        self.reference.put_shop({**self.shop, "shop_id": shop_id, **changes})

    def event(self, type_: str, time: str, data: Json, shop_id: str = "s") -> Json:
        """Wrap data as a CloudEvent of a new id."""
        return {
            "specversion": "1.0",
            "id": f"e-{next(self._numbers)}",
            "source": "/small",
            "type": type_,
            "subject": shop_id,
            "time": time,
            "data": data,
        }

    def tell(self, type_: str, time: str, data: Json, shop_id: str = "s") -> None:
        """Send an event that must be stored."""
        assert self.reference.receive(self.event(type_, time, data, shop_id)) == "stored"

    def rate(
        self,
        time: str,
        stars: int | Json,
        *,
        completed: str | None = None,
        buyer: str | None = None,
        shop_id: str = "s",
    ) -> str:
        """Rate the description (or what `stars` names), by default as a new buyer."""
        number = next(self._numbers)
        data = {
            "review_id": f"r-{number:04}",
            "order_id": f"o-{number}",
            "buyer_id": buyer or f"b-{number}",
            "scores": stars if isinstance(stars, dict) else {"description": stars},
            "completed_at": completed,
        }
        self.tell("review.posted", time, data, shop_id)
        return f"r-{number:04}"

    def rate_all(self, time: str, stars: Iterable[int], shop_id: str = "s") -> None:
        """Rate many times at one instant."""
        for given in stars:
            self.rate(time, given, shop_id=shop_id)

    def act(self, name: str, review_id: str, time: str, reason: str | None = None) -> None:
        """Remove or restore a review."""
        self.tell(f"review.{name}", time, {"review_id": review_id, "reason": reason})

    def pay(self, time: str, amount: str, listing: str = "l", quantity: int = 1, **of: str) -> None:
        """Pay an order of one line."""
        line = {"listing_id": listing, "quantity": quantity, "amount": amount}
        order_id = f"o-{next(self._numbers)}"
        data = {"order_id": order_id, "buyer_id": "b", "lines": [line]}
        self.tell("order.paid", time, data, of.get("shop_id", "s"))

    def refund(self, time: str, amount: str) -> None:
        """Refund a part of an unknown order."""
        refund_id = f"f-{next(self._numbers)}"
        data = {"refund_id": refund_id, "order_id": "o-unknown", "amount": amount}
        self.tell("order.refunded", time, data)

    def list(self, name: str, time: str, listing: str = "l", title: str | None = None) -> None:
        """Publish, edit or withdraw a listing."""
        titled = {} if title is None else {"title": title}
        self.tell(f"listing.{name}", time, {"listing_id": listing, **titled})

    def description(self, as_of: date = TODAY) -> Json:
        """Return the description's block of `/dsr`."""
        block: Json = self.reference.dsr("s", as_of)["dsr"]["description"]
        return block

    def states(self) -> dict[str, str]:
        """Return the state of every rating, by id."""
        return {item["review_id"]: item["state"] for item in self.reference.reviews("s")["items"]}
