"""What clients expect of the totals: counted straight from the events that they sent.

This knows only what `stream` sends: removals that are never taken back, and the rules of the
built-in sets. It is linear in the events, which the reference is not.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from tests.faults.stream import SHOPS, Json

DIMENSIONS = ("description", "service", "logistics")
DIGITS = {"CNY": 2, "JPY": 0, "KWD": 3}
CAP, DEADLINE = 3, timedelta(days=15)
WINDOW_DAYS = {"taobao": 180, "pinduoduo": 90}
SALES_DAYS = 30

Days: TypeAlias = dict[tuple[str, date], Counter[str]]
Units: TypeAlias = Counter[tuple[str, str, date]]


class Tally:
    """Totals by shop and day, in the names of the stored columns; units by shop, listing, day."""

    def __init__(self, events: Iterable[Json]) -> None:
        self.days: Days = defaultdict(Counter)
        self.units: Units = Counter()
        self._shops = {shop["shop_id"]: shop for shop in SHOPS}
        zones = {shop_id: ZoneInfo(shop["time_zone"]) for shop_id, shop in self._shops.items()}
        ratings: defaultdict[tuple[str, str, date], list[Json]] = defaultdict(list)
        removed: set[tuple[str, str]] = set()
        for event in events:
            shop_id, data = event["subject"], event["data"]
            time = datetime.fromisoformat(event["time"])
            day = time.astimezone(zones[shop_id]).date()
            match event["type"]:
                case "review.posted":
                    done = datetime.fromisoformat(data["completed_at"] or event["time"])
                    month = done.astimezone(zones[shop_id]).date().replace(day=1)
                    rating = {"day": day, "time": time, "done": done, **data}
                    ratings[shop_id, data["buyer_id"], month].append(rating)
                case "review.removed":
                    removed.add((shop_id, data["review_id"]))
                case "order.paid":
                    for line in data["lines"]:
                        self.days[shop_id, day]["paid"] += self._minor(shop_id, line["amount"])
                        self.units[shop_id, line["listing_id"], day] += line["quantity"]
                case "order.refunded":
                    self.days[shop_id, day]["refunded"] += self._minor(shop_id, data["amount"])
        for (shop_id, _, _), rivals in ratings.items():
            self._add_rivals(shop_id, rivals, removed)

    def _minor(self, shop_id: str, amount: str) -> int:
        minor: int = int(amount) * 10 ** DIGITS[self._shops[shop_id]["currency"]]
        return minor

    def _add_rivals(self, shop_id: str, rivals: list[Json], removed: set[tuple[str, str]]) -> None:
        counted = 0
        for rating in sorted(rivals, key=lambda r: (r["done"], r["time"], r["review_id"])):
            day = self.days[shop_id, rating["day"]]
            if (shop_id, rating["review_id"]) in removed:
                day["removed"] += 1
            elif rating["time"] - rating["done"] > DEADLINE:
                day["late"] += 1
            elif counted == CAP:
                day["capped"] += 1
            else:
                counted += 1
                day.update(f"{name}_{stars}" for name, stars in rating["scores"].items())

    def histogram(self, shop_id: str, dimension: str, as_of: date) -> list[int]:
        """Return the counted ratings of the window that ends on a day, by stars."""
        days = WINDOW_DAYS[self._shops[shop_id]["marketplace"]]
        return [self._summed(shop_id, f"{dimension}_{stars}", as_of, days) for stars in range(1, 6)]

    def sales(self, shop_id: str, as_of: date) -> str:
        """Return the sales of the window that ends on a day, as text."""
        digits = DIGITS[self._shops[shop_id]["currency"]]
        minor = self._summed(shop_id, "paid", as_of, SALES_DAYS)
        whole, rest = divmod(minor, 10**digits)
        return f"{whole}.{rest:0{digits}}" if digits else f"{whole}"

    def _summed(self, shop_id: str, field: str, as_of: date, days: int) -> int:
        window = (as_of - timedelta(days=back) for back in range(days))
        return sum(self.days[shop_id, day][field] for day in window if (shop_id, day) in self.days)
