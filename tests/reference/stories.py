"""Make valid facts of shops: orders, ratings, removals, listings and stock."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference.arithmetic import currency_digits, money
from tests.reference.facts import DIMENSIONS
from tests.reference.instants import Moments, written
from tests.reference.rules import Json

_COMMENTS = (
    "很好",
    "tab\there, line\nthere\r\n",
    "",
    "quotes \" ' \\ and <b>&amp;</b>",
    "🙂 好评",
    "zero\u200bwidth \u202eturned",
)
_REASONS = ("malicious", "violating_trade", "force_majeure", "other", None)
_REGIONS = ("RJ", "浙江", "", "x" * 64, None)
_ODD_ID = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_MICROSECOND = timedelta(microseconds=1)


class Teller:
    """A shop of which facts are made, and the facts made so far that others name."""

    def __init__(self, shop: Json, rules: Json, now: datetime, days: Sequence[date]) -> None:
        """Read the shop's currency, zone and deadline."""
        self.shop_id: str = shop["shop_id"]
        self.currency: str = shop["currency"]
        self.zone = ZoneInfo(shop.get("time_zone", "Asia/Shanghai"))
        self.deadline = timedelta(days=_or(rules["rating_deadline_days"], 15))
        self.now = now
        self.days = days
        self.reviews: list[tuple[str, datetime, datetime | None]] = []
        self.orders: list[tuple[str, int]] = []


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


class Story:
    """Makes facts about shops until there are enough; no two share an identity."""

    def __init__(self, rng: random.Random, tellers: Sequence[Teller]) -> None:
        """Prepare to draw facts, most of them of the first shops."""
        self._rng = rng
        self._tellers = tellers
        self._weights = [1 + 12 // (place + 1) for place in range(len(tellers))]
        self._deliveries = 0
        self._identities: set[tuple[str, ...]] = set()
        self._facts: list[tuple[datetime, Json]] = []

    def new_delivery(self) -> str:
        """Return a CloudEvents id not used before."""
        self._deliveries += 1
        return f"e-{self._deliveries}"

    def tell(self, size: int) -> list[Json]:
        """Make about `size` facts, oldest first."""
        self._extremes(self._tellers[0])
        chapters: list[tuple[Callable[[Teller, Moments], None], int]] = [
            (self._rating, 10),
            (self._removal, 2),
            (self._order, 7),
            (self._refund, 2),
            (self._listing, 2),
            (self._stock, 1),
        ]
        moments = {
            teller.shop_id: Moments(self._rng, teller.zone, teller.now, teller.days)
            for teller in self._tellers
        }
        while len(self._facts) < size:
            teller = self._rng.choices(self._tellers, self._weights)[0]
            chapter = self._rng.choices(
                [chapter for chapter, _ in chapters], [weight for _, weight in chapters]
            )[0]
            chapter(teller, moments[teller.shop_id])
        return [event for _, event in sorted(self._facts, key=lambda fact: fact[0])]

    def _add(self, teller: Teller, type_: str, time: datetime, data: Json, *identity: str) -> None:
        identity = (teller.shop_id, type_, *identity)
        if identity in self._identities:
            return
        self._identities.add(identity)
        event = {
            "specversion": "1.0",
            "id": self.new_delivery(),
            "source": self._rng.choice(("/backoffice/7", "urn:erp:1", "x" * 256)),
            "type": type_,
            "subject": teller.shop_id,
            "time": written(self._rng, time),
            "data": {name: value for name, value in data.items() if value is not None},
        }
        self._facts.append((time, event))

    def _add_review(
        self,
        teller: Teller,
        time: datetime,
        completed: datetime | None,
        buyer: str | None,
        details: Json,
    ) -> None:
        review_id = details.pop("review_id", f"r-{len(teller.reviews)}")
        teller.reviews.append((review_id, time, completed))
        data = {
            "review_id": review_id,
            "order_id": self._rng.choice((f"o-{self._rng.randint(0, 99)}", None)),
            "buyer_id": buyer,
            "scores": self._scores(),
            "completed_at": None if completed is None else written(self._rng, completed),
            **details,
        }
        self._add(teller, "review.posted", time, data, review_id)

    def _rating(self, teller: Teller, moments: Moments) -> None:
        time = moments.any()
        completed = self._completion(teller, moments, time)
        buyer: str | None = f"b-{self._rng.choice((1, 1, 2, 3, 4, 5, 6, 7, 8))}"
        kind = self._rng.random()
        if kind < 0.06 and teller.reviews:
            _, time, completed = self._rng.choice(teller.reviews)
        elif kind < 0.35:
            month = moments.month_edge(teller.now - timedelta(days=self._rng.choice((0, 0, 35))))
            completed = moments.past(month + timedelta(hours=self._rng.choice((0, 0, 1, 30, 99))))
            time = moments.past(completed + self._rng.random() * teller.deadline)
            buyer = "b-1"
        if self._rng.random() < 0.1:
            buyer = None
        details = {
            "listing_id": self._rng.choice((None, "l-1", "l-2")),
            "comment": self._rng.choice(_COMMENTS) if self._rng.random() < 0.1 else None,
        }
        self._add_review(teller, time, completed, buyer, details)

    def _scores(self) -> Json:
        names = list(DIMENSIONS)
        if self._rng.random() < 0.2:
            names = self._rng.sample(names, self._rng.randint(1, 2))
        return {name: self._rng.choice((1, 2, 3, 4, 4, 5, 5, 5, 5)) for name in names}

    def _completion(self, teller: Teller, moments: Moments, time: datetime) -> datetime | None:
        allowed = max(teller.deadline, timedelta(hours=1))
        exactly = time - teller.deadline
        part = timedelta(seconds=self._rng.randint(0, int(allowed.total_seconds())))
        kinds = {
            None: 20,
            time - part: 40,
            exactly: 8,
            exactly - timedelta(seconds=1): 6,
            exactly - _MICROSECOND: 6,
            exactly + _MICROSECOND: 4,
            exactly - part: 4,
            moments.past(time + timedelta(hours=self._rng.randint(1, 99))): 6,
            moments.month_edge(time): 6,
        }
        return self._rng.choices(list(kinds), list(kinds.values()))[0]

    def _removal(self, teller: Teller, moments: Moments) -> None:
        if teller.reviews and self._rng.random() < 0.85:
            review_id, posted, _ = self._rng.choice(teller.reviews)
        else:
            review_id, posted = f"r-{self._rng.randint(0, 199)}", moments.any()
        first = moments.past(posted + timedelta(hours=self._rng.randint(-24, 400)))
        later = moments.past(first + timedelta(seconds=self._rng.randint(0, 86_400)))
        scripts = (
            (("review.removed", first),),
            (("review.removed", first),),
            (("review.removed", first), ("review.restored", later)),
            (("review.removed", first), ("review.restored", first)),
            (("review.restored", first), ("review.removed", later)),
            (("review.restored", first),),
        )
        for type_, time in self._rng.choice(scripts):
            data = {
                "review_id": review_id,
                "reason": self._rng.choice(_REASONS),
                "note": self._rng.choice((None, "checked\tby hand")),
            }
            self._add(teller, type_, time, data, review_id, time.isoformat())

    def _order(self, teller: Teller, moments: Moments) -> None:
        order_id, total, lines = f"o-{len(teller.orders)}", 0, []
        for _ in range(self._rng.choice((1, 1, 1, 2, 3, 5))):
            amount = int(10 ** self._rng.uniform(0, 6)) if self._rng.random() < 0.97 else 0
            total += amount
            line: Json = {
                "listing_id": f"l-{self._rng.randint(0, 12)}",
                "quantity": self._rng.choice((1, 1, 2, 3, 1_000)),
                "amount": self._amount(amount, teller.currency),
            }
            if self._rng.random() < 0.2:
                line["variant_id"] = self._rng.choice(("Größe 40", "黑色", "v 1"))
            if self._rng.random() < 0.1:
                line["gift"] = self._rng.random() < 0.8
            lines.append(line)
        if self._rng.random() < 0.1:
            lines.append(dict(lines[0]))
        teller.orders.append((order_id, total))
        paid = None
        if self._rng.random() < 0.2:
            paid = self._amount(max(total - self._rng.randint(-99, 99), 0), teller.currency)
        data = {
            "order_id": order_id,
            "buyer_id": self._rng.choice((f"b-{self._rng.randint(1, 9)}", "王**", None)),
            "lines": lines,
            "total": paid,
            "currency": self._rng.choice((teller.currency, None)),
            "region": self._rng.choice(_REGIONS),
        }
        self._add(teller, "order.paid", moments.any(), data, order_id)

    def _amount(self, minor: int, currency: str) -> str:
        shortest = money(minor, currency)
        if self._rng.random() < 0.3:
            shortest = f"{Decimal(shortest).normalize():f}"
        elif self._rng.random() < 0.1:
            shortest += "00" if "." in shortest else ".00"
        return shortest

    def _refund(self, teller: Teller, moments: Moments) -> None:
        order_id, total = f"o-{self._rng.randint(0, 300)}", 100
        if teller.orders and self._rng.random() < 0.8:
            order_id, total = self._rng.choice(teller.orders)
        amount = self._rng.choice((total, total // 3, 2 * total, 0, 10**9))
        refund_id = f"f-{len(self._facts)}"
        data = {
            "refund_id": refund_id,
            "order_id": order_id,
            "amount": self._amount(amount, teller.currency),
        }
        self._add(teller, "order.refunded", moments.any(), data, refund_id)

    def _listing(self, teller: Teller, moments: Moments) -> None:
        listing_id = f"l-{self._rng.randint(0, 9)}"
        time = moments.any()
        later = moments.past(time + timedelta(days=self._rng.randint(0, 40)))
        scripts: tuple[tuple[tuple[str, datetime], ...], ...] = (
            (("published", time),),
            (("published", time),),
            (("published", time),),
            (("published", time), ("withdrawn", later)),
            (("published", time), ("withdrawn", later), ("published", later + _MICROSECOND)),
            (("withdrawn", time), ("published", time)),
            (("withdrawn", time), ("published", time), ("published", later)),
            (("published", time), ("edited", later)),
            (("edited", time),),
            (("edited", time), ("withdrawn", time)),
        )
        for name, at in self._rng.choice(scripts):
            moment = moments.past(at)
            data: dict[str, Any] = {"listing_id": listing_id}
            if name == "published":
                data["title"] = self._rng.choice((None, f"Title {len(self._facts)}", "龍 & Söhne"))
            self._add(teller, f"listing.{name}", moment, data, listing_id, moment.isoformat())

    def _stock(self, teller: Teller, moments: Moments) -> None:
        listing_id = f"l-{self._rng.randint(0, 12)}"
        time = moments.any()
        on_hand = self._rng.choice((0, 1, 3, 7, -3, 1_000, 10**9))
        location = self._rng.choice((None, None, "A", "仓库 2"))
        data = {"listing_id": listing_id, "on_hand": on_hand, "location": location}
        self._add(teller, "stock.counted", time, data, listing_id, str(location), time.isoformat())

    def _extremes(self, teller: Teller) -> None:
        """Add the largest, longest and oldest values that are allowed."""
        oldest = datetime(2000, 1, 1, tzinfo=UTC)
        long_id = "龍 " * 64
        details = {
            "review_id": long_id,
            "order_id": _ODD_ID,
            "listing_id": long_id,
            "comment": "c" * 9_999 + "🙂",
        }
        self._add_review(teller, teller.now, oldest, _ODD_ID, details)
        for offset in (-48, -1, 1, 23):
            date_line = datetime(2011, 12, 30, tzinfo=UTC) + timedelta(hours=offset)
            for crossing in (teller, *self._tellers[-1:]):
                self._add_review(crossing, date_line, None, f"b-{offset}", {})
        line = {
            "listing_id": _ODD_ID,
            "quantity": 1_000_000,
            "amount": money(10**12, teller.currency),
        }
        data = {"order_id": _ODD_ID, "buyer_id": "!", "lines": [line], "region": None}
        self._add(teller, "order.paid", oldest, data, _ODD_ID)
        zero = "0.0" if currency_digits(teller.currency) else "0"
        small = {"listing_id": "l-1", "quantity": 1, "amount": zero}
        data = {"order_id": "o-many", "buyer_id": "b-1", "lines": [small] * 500, "region": None}
        self._add(teller, "order.paid", teller.now, data, "o-many")
        count = {"listing_id": long_id, "on_hand": 10**9}
        self._add(teller, "stock.counted", oldest, count, long_id)
        publication = {"listing_id": long_id, "title": "龍" * 500}
        self._add(teller, "listing.published", oldest, publication, long_id)
