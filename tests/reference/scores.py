"""Compute every answer of the service from shops and events alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference.arithmetic import Window, day_of, instant_text, score_or_null, window_ending
from tests.reference.decoding import RefusalError, build_version, check_form
from tests.reference.facts import (
    DIMENSIONS,
    Identity,
    Order,
    Review,
    ShopFacts,
    Version,
    sort_into_kinds,
    without_buyer,
)
from tests.reference.listings import Listing, in_view, listings_as_of, sell_through
from tests.reference.over_time import change, forecast, plan, short_changes
from tests.reference.peers import Snapshot, compare
from tests.reference.ratings import (
    Rating,
    judge,
    rating_window,
    score_as_of,
    tally,
    uncounted,
)
from tests.reference.rules import BUILT_IN, Json, Rules, rules_from
from tests.reference.tier import (
    Cuts,
    find_cuts,
    next_and_floor,
    paid_in,
    sales_as_of,
    sales_percentile,
    shares,
    shown_sales,
    tier_block,
)

_SHOP_DEFAULTS: Json = {"time_zone": "Asia/Shanghai", "kind": "individual", "opened_on": None}
_MOST_REJECTED_LISTED = 1_000


@dataclass(frozen=True)
class BatchResult:
    """A response to `POST /v1/events`; the five members are `body`."""

    status: int
    body: Json
    verdicts: tuple[str, ...]


class Reference:
    """The shops and facts of a tenant; every answer is computed from the facts.

    `now` is the server's clock and may be moved. Days default to the shop's today.
    """

    def __init__(self, now: datetime) -> None:
        """Start with the built-in rules alone."""
        self.now = now.astimezone(UTC)
        self._rules: dict[str, list[Mapping[str, Any]]] = {
            name: [fields] for name, fields in BUILT_IN.items()
        }
        self._shops: dict[str, Json] = {}
        self._ladders: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._snapshots: dict[date, Snapshot] = {}
        self._versions: dict[str, dict[Identity, Version]] = {}
        self._stand_ins: dict[tuple[str, Identity], str] = {}
        """Ids in place of erased buyers, by shop and identity."""
        self._erasures = 0

    def put_rules(self, name: str, fields: Mapping[str, Any]) -> Json:
        """Store a set under a new version, unless its content is the last one's."""
        versions = self._rules.setdefault(name, [])
        if not versions or versions[-1] != fields:
            versions.append(fields)
        return self.rules(name).shown()

    def rules(self, name: str) -> Rules:
        """Return the newest version of a set."""
        versions = self._rules[name]
        return rules_from(name, len(versions), versions[-1])

    def put_shop(self, shop: Mapping[str, Any]) -> Json:
        """Store or replace a shop given as an item of `POST /v1/shops`."""
        whole = {**_SHOP_DEFAULTS, "rules": shop["marketplace"], **shop}
        self._shops[shop["shop_id"]] = whole
        self._versions.setdefault(shop["shop_id"], {})
        return whole

    def put_shops(self, shops: Iterable[Mapping[str, Any]]) -> None:
        """Store or replace many shops."""
        for shop in shops:
            self.put_shop(shop)

    def put_ladder(self, marketplace: str, category: str, ladder: Mapping[str, Any] | None) -> None:
        """Set the amounts of a category, or remove them with None."""
        self._ladders.pop((marketplace, category), None)
        if ladder is not None:
            self._ladders[marketplace, category] = ladder

    @property
    def shop_ids(self) -> list[str]:
        """Return the ids of all shops, sorted."""
        return sorted(self._shops)

    def receive(self, event: object) -> str:
        """Receive an event: return `stored`, `duplicate` or the code of its refusal."""
        try:
            checked = check_form(event)
            shop = self._shops.get(checked.shop_id)
            if shop is None:
                return "unknown_shop"
            version = build_version(checked, shop["currency"], self.now)
        except RefusalError as refusal:
            return refusal.code
        version = self._without_erased(checked.shop_id, version)
        versions = self._versions[checked.shop_id]
        known = versions.get(version.identity)
        if known is None or known.revision < version.revision:
            versions[version.identity] = version
            return "stored"
        if known.revision > version.revision:
            return "duplicate"
        return "duplicate" if known == version else "conflict"

    def erase(self, buyer_id: str) -> int:
        """Answer how many facts `POST /v1/erasures` changes, and change them."""
        self._erasures += 1
        changed = 0
        for shop_id, versions in self._versions.items():
            facts = [version.fact for version in versions.values()]
            own = {
                fact.identity
                for fact in facts
                if isinstance(fact, Review | Order) and fact.buyer_id == buyer_id
            }
            rated = {identity[1] for identity in own if identity[0] == "review.posted"}
            for identity, version in versions.items():
                acts = identity[0] in {"review.removed", "review.restored"}
                if identity in own or (acts and identity[1] in rated):
                    stand_in = f"erased {self._erasures}"
                    self._stand_ins[shop_id, identity] = stand_in
                    versions[identity] = self._without_erased(shop_id, version)
                    changed += versions[identity] != version
        return changed

    def _without_erased(self, shop_id: str, version: Version) -> Version:
        stand_in = self._stand_ins.get((shop_id, version.identity))
        if stand_in is None or version.fact is None:
            return version
        return replace(version, fact=without_buyer(version.fact, stand_in))

    def post(self, events: Sequence[object]) -> BatchResult:
        """Receive a batch; `errors` of rejected events stay empty, being free text."""
        verdicts = tuple(self.receive(event) for event in events)
        rejected: list[Json] = [
            {"index": index, "id": _readable_id(event), "code": verdict, "errors": []}
            for index, (event, verdict) in enumerate(zip(events, verdicts, strict=True))
            if verdict not in {"stored", "duplicate"}
        ]
        totals = Counter(verdicts)
        status = 200 if not rejected else 422 if len(rejected) == len(events) else 207
        body = {
            "received": len(events),
            "stored": totals["stored"],
            "duplicates": totals["duplicate"],
            "rejected_count": len(rejected),
            "rejected": rejected[:_MOST_REJECTED_LISTED],
        }
        return BatchResult(status, body, verdicts)

    def snapshot(self, as_of: date | None = None) -> Json:
        """Compare all shops as of a date, by default yesterday in UTC."""
        today = self.now.date()
        day = today - timedelta(days=1) if as_of is None else as_of
        if day > today:
            message = f"{day} is later than today in UTC"
            raise ValueError(message)
        scores: dict[tuple[str, str, str], dict[str, Fraction]] = {}
        sales: dict[tuple[str, str, str], dict[str, int]] = {}
        for shop_id, shop in self._shops.items():
            view = self._view(shop_id, day)
            for dimension in DIMENSIONS:
                score = score_as_of(view.ratings, dimension, day, view.rules)
                if score is not None:
                    group = scores.setdefault((*view.category, dimension), {})
                    group[shop_id] = score
            amount = sales_as_of(view.facts, day, view.rules, view.zone)
            sales.setdefault((*view.category, shop["currency"]), {})[shop_id] = amount
        self._snapshots[day] = Snapshot(day, scores, sales)
        return {
            "as_of": day.isoformat(),
            "taken_at": instant_text(self.now),
            "shops": len(self._shops),
            "groups": len({key[:2] for key in sales}),
        }

    def today(self, shop_id: str) -> date:
        """Return the present day of the shop."""
        return day_of(self.now, ZoneInfo(self._shops[shop_id]["time_zone"]))

    def scorecard(self, shop_id: str, as_of: date | None = None) -> Json:
        """Answer `/scorecard`."""
        view = self._view(shop_id, as_of)
        window = rating_window(view.as_of, view.rules)
        blocks = {name: tally(view.ratings, name, window).block(view.rules) for name in DIMENSIONS}
        return {
            **view.top(),
            "marketplace": view.category[0],
            "category": view.category[1],
            "dsr": {"window": window.shown(), **blocks},
            "tier": self._tier_block(view, self._cuts(view)),
            "sell_through": view.sell_through(view.rules.sold_window_days),
        }

    def dsr(self, shop_id: str, as_of: date | None = None, rules: str | None = None) -> Json:
        """Answer `/dsr`, with `rules` as a replay."""
        view = self._view(shop_id, as_of, rules)
        window = rating_window(view.as_of, view.rules)
        snapshot = self._newest_snapshot(view.as_of)
        blocks = {}
        for name in DIMENSIONS:
            counted = tally(view.ratings, name, window)
            peers = compare(
                counted.score(view.rules),
                snapshot,
                (*view.category, name),
                shop_id,
                view.rules.peer_min_shops,
            )
            blocks[name] = {
                **counted.block(view.rules),
                "interval": counted.interval(),
                "peers": peers if rules is None else None,
                "change": short_changes(view.ratings, name, view.as_of, view.rules),
            }
        left_out = uncounted(view.ratings, window)
        return {**view.top(), "dsr": {"window": window.shown(), "uncounted": left_out, **blocks}}

    def tier(self, shop_id: str, as_of: date | None = None) -> Json:
        """Answer `/tier`."""
        view = self._view(shop_id, as_of)
        currency = view.shop["currency"]
        cuts = self._cuts(view)
        block = self._tier_block(view, cuts)
        oldest = window_ending(view.as_of, view.rules.sales_window_days).start
        leaving = paid_in(view.facts, Window(oldest, oldest), view.zone)
        snapshot = self._newest_snapshot(view.as_of)
        group_key = (*view.category, currency)
        details = {
            **next_and_floor(view.sales(), cuts, currency),
            "leaving_tomorrow": shown_sales([leaving], currency)[0],
            "ladder": None
            if cuts is None
            else {
                "source": cuts.source,
                "as_of": None if cuts.as_of is None else cuts.as_of.isoformat(),
            },
            "percentile": sales_percentile(snapshot, group_key, shop_id, view.rules),
            "shares": shares(block["level"], view.rules),
        }
        return {**view.top(), "tier": {**block, **details}}

    def sell_through(
        self, shop_id: str, as_of: date | None = None, window_days: int | None = None
    ) -> Json:
        """Answer `/sell-through`."""
        view = self._view(shop_id, as_of)
        days = view.rules.sold_window_days if window_days is None else window_days
        return {**view.top(), "sell_through": view.sell_through(days)}

    def listings(self, shop_id: str, as_of: date | None = None, view: str = "all") -> Json:
        """Answer `/listings`, all pages as one."""
        shop = self._view(shop_id, as_of)
        items = [
            listing.shown(shop.as_of, shop.rules)
            for listing in shop.listings()
            if in_view(listing, view, shop.as_of, shop.rules)
        ]
        return {**shop.top(), "items": items, "next_cursor": None}

    def reviews(
        self,
        shop_id: str,
        state: str | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> Json:
        """Answer `/reviews`, all pages as one."""
        view = self._view(shop_id)
        chosen = [
            rating
            for rating in view.ratings
            if state in {None, rating.state}
            and (start is None or start <= rating.day)
            and (end is None or rating.day <= end)
        ]
        by_id = sorted(chosen, key=lambda rating: rating.review.review_id)
        newest_first = sorted(by_id, key=lambda rating: rating.review.time, reverse=True)
        items = [rating.shown() for rating in newest_first]
        return {**view.top(), "items": items, "next_cursor": None}

    def trend(self, shop_id: str, start: date, end: date) -> Json:
        """Answer `/trend`."""
        view = self._view(shop_id)
        days = list(Window(start, end))
        answer: Json = {**view.top(), "dates": [day.isoformat() for day in days]}
        for name in DIMENSIONS:
            counted = [tally(view.ratings, name, rating_window(day, view.rules)) for day in days]
            answer[name] = {
                "score": [score_or_null(of_day.score(view.rules)) for of_day in counted],
                "count": [int(of_day.count) for of_day in counted],
            }
        sales = [sales_as_of(view.facts, day, view.rules, view.zone) for day in days]
        return {**answer, "sales": shown_sales(sales, view.shop["currency"])}

    def change(self, shop_id: str, start: date, end: date) -> Json:
        """Answer `/dsr/change`."""
        view = self._view(shop_id)
        blocks = {name: change(view.ratings, name, start, end, view.rules) for name in DIMENSIONS}
        return {**view.top(), **blocks}

    def forecast(self, shop_id: str, as_of: date | None = None, days: int = 30) -> Json:
        """Answer `/dsr/forecast`."""
        view = self._view(shop_id, as_of)
        first, last = view.as_of + timedelta(days=1), view.as_of + timedelta(days=days)
        by_name = {
            name: forecast(view.ratings, name, view.as_of, days, view.rules) for name in DIMENSIONS
        }
        return {
            **view.top(),
            "dates": [day.isoformat() for day in Window(first, last)],
            "silent": {name: scores.silent for name, scores in by_name.items()},
            "steady": {name: scores.steady for name, scores in by_name.items()},
        }

    def plan(
        self,
        shop_id: str,
        as_of: date | None,
        *,
        dimension: str,
        target: str | Decimal | Fraction,
        by: date,
        stars: int,
    ) -> Json:
        """Answer `/dsr/plan` for the target exactly as written."""
        view = self._view(shop_id, as_of)
        left_by_then = Window(rating_window(by, view.rules).start, view.as_of)
        remaining = tally(view.ratings, dimension, left_by_then)
        return {**view.top(), **plan(remaining, Fraction(target), stars, view.rules)}

    def _view(
        self, shop_id: str, as_of: date | None = None, rules: str | None = None
    ) -> "_ShopView":
        shop = self._shops[shop_id]
        chosen = self.rules(shop["rules"] if rules is None else rules)
        versions = self._versions[shop_id].values()
        facts = sort_into_kinds(version.fact for version in versions if version.fact is not None)
        zone = ZoneInfo(shop["time_zone"])
        day = self.today(shop_id) if as_of is None else as_of
        return _ShopView(shop, day, chosen, facts, zone, judge(facts, chosen, zone))

    def _newest_snapshot(self, as_of: date) -> Snapshot | None:
        days = [day for day in self._snapshots if day <= as_of]
        return self._snapshots[max(days)] if days else None

    def _cuts(self, view: "_ShopView") -> Cuts | None:
        ladder = self._ladders.get(view.category)
        group_key = (*view.category, view.shop["currency"])
        return find_cuts(ladder, self._newest_snapshot(view.as_of), group_key, view.rules)

    @staticmethod
    def _tier_block(view: "_ShopView", cuts: Cuts | None) -> Json:
        window = window_ending(view.as_of, view.rules.sales_window_days)
        return tier_block(view.sales(), cuts, view.shop["currency"], window)


@dataclass(frozen=True)
class _ShopView:
    """The facts of a shop as of a day, under some rules."""

    shop: Json
    as_of: date
    rules: Rules
    facts: ShopFacts
    zone: ZoneInfo
    ratings: list[Rating]

    @property
    def category(self) -> tuple[str, str]:
        return self.shop["marketplace"], self.shop["category"]

    def top(self) -> Json:
        return {
            "shop_id": self.shop["shop_id"],
            "as_of": self.as_of.isoformat(),
            "time_zone": self.shop["time_zone"],
            "rules": self.rules.shown(),
        }

    def sales(self) -> int:
        return sales_as_of(self.facts, self.as_of, self.rules, self.zone)

    def listings(self) -> list[Listing]:
        return listings_as_of(self.facts, self.as_of, self.zone)

    def sell_through(self, window_days: int) -> Json:
        return sell_through(self.facts, self.listings(), self.as_of, window_days, self.zone)


def _readable_id(event: object) -> str | None:
    if not isinstance(event, dict):
        return None
    given = event.get("id")
    return given if isinstance(given, str) else None
