"""Seeded random worlds: shops, rules, ladders and a stream of events with known verdicts."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.reference.edits import later_versions
from tests.reference.faults import clock_edge_events, faulty_events
from tests.reference.rules import BUILT_IN, Json
from tests.reference.scores import Reference
from tests.reference.stories import Story, Teller
from tests.reference.twins import contradict, respell

NOW = datetime(2024, 11, 20, 15, 45, 30, tzinfo=UTC)

_STRICT: Json = {
    **BUILT_IN["taobao"],
    "rating_window_days": 7,
    "ratings_per_buyer_month": 1,
    "rating_deadline_days": 0,
    "min_ratings": 2,
    "peer_min_shops": 2,
    "sales_window_days": 1,
    "refunds_reduce_sales": True,
    "tier_quantiles": ["0.1", "0.25", "0.50", "0.5000001", "0.75", "0.999"],
    "band_shares": {"shops": ["0.6", "0.3", "0.1"], "traffic": ["0.2", "0.3", "0.5"]},
    "sold_window_days": 7,
    "zero_payment": {"published": "before", "published_days": 30, "no_sale_days": 30},
    "slow_days": 30,
}
_OPEN: Json = {
    **BUILT_IN["taobao"],
    "rating_window_days": 365,
    "ratings_per_buyer_month": None,
    "rating_deadline_days": None,
    "min_ratings": 3,
    "peer_min_shops": 2,
    "sales_window_days": 90,
    "refunds_reduce_sales": True,
}

CUSTOM_RULES: dict[str, Json] = {"strict": _STRICT, "open-1": _OPEN}

_SHOP_COLUMNS = ("shop_id", "marketplace", "category", "currency", "time_zone", "rules", "kind")
_SHOP_ROWS = (
    ("sh-1", "taobao", "baby", "CNY", "Asia/Shanghai", None, "flagship"),
    ("pdd-1", "pinduoduo", "food", "BRL", "America/Sao_Paulo", None, None),
    ("toys-1", "taobao", "toys", "CNY", "Asia/Shanghai", None, None),
    ("apia_1", "taobao", "baby", "CNY", "Pacific/Apia", "open-1", None),
    ("new.york", "taobao", "baby", "CNY", "America/New_York", None, "enterprise"),
    ("sh-2", "taobao", "baby", "CNY", None, None, None),
    ("kwd-1", "souq", "garden", "KWD", "Asia/Kathmandu", "strict", None),
    ("kathmandu~1", "taobao", "baby", "CNY", "Asia/Kathmandu", "taobao", None),
    ("a..b", "taobao", "baby", "CNY", "Europe/Berlin", "strict", None),
    ("idle", "taobao", "baby", "CNY", "Asia/Shanghai", None, None),
    ("yen-baby", "taobao", "baby", "JPY", "America/New_York", None, None),
    ("toys-yen", "taobao", "toys", "JPY", "Europe/Berlin", None, None),
    ("pdd-2", "pinduoduo", "food", "BRL", "America/Sao_Paulo", "open-1", None),
    ("pdd-3", "pinduoduo", "food", "CNY", "Asia/Shanghai", "pinduoduo", None),
    ("kwd-2", "souq", "garden", "KWD", "Europe/Berlin", "open-1", None),
    ("z" * 64, "souq", "garden", "KWD", "Pacific/Apia", "taobao", None),
)
_IDLE = "idle"

LADDERS: list[Json] = [
    {
        "marketplace": "taobao",
        "category": "toys",
        "currency": "CNY",
        "amounts": ["10.00", "200.00", "500.5", "1000", "5000.00", "20000.00"],
    },
    {
        "marketplace": "pinduoduo",
        "category": "food",
        "currency": "BRL",
        "amounts": ["0.01", "100.00", "1000.00", "2500.00", "9000.00", "9000.01"],
    },
]


@dataclass(frozen=True)
class Sent:
    """An event on the wire, with what becomes of it.

    `code` is `stored` for a good event, else the refusal. Events of equal `fact` tell one fact, in
    versions of equal `revision`: one is stored that is higher than all before it, others are
    duplicates. A `conflict` contradicts a version and is only one while that stands.
    """

    event: Any
    code: str
    fact: int | None
    revision: int = 0


@dataclass(frozen=True)
class World:
    """Input of a service and of the reference; `days` are those to read answers of."""

    seed: int
    now: datetime
    rules: dict[str, Json]
    shops: list[Json]
    ladders: list[Json]
    events: list[Sent]
    days: list[date]
    snapshot_days: list[date]

    def empty_reference(self) -> Reference:
        """Return a reference with shops, rules and ladders, but no event."""
        reference = Reference(self.now)
        for name, fields in self.rules.items():
            reference.put_rules(name, fields)
        reference.put_shops(self.shops)
        for ladder in self.ladders:
            reference.put_ladder(ladder["marketplace"], ladder["category"], ladder)
        return reference

    def reference(self, stream: Iterable[Sent] | None = None) -> Reference:
        """Return a reference fed a stream (by default the events) and its snapshots."""
        reference = self.empty_reference()
        for sent in self.events if stream is None else stream:
            reference.receive(sent.event)
        for day in self.snapshot_days:
            reference.snapshot(day)
        return reference


def world(seed: int, size: int = 300, *, now: datetime = NOW, clock_edges: bool = False) -> World:
    """Make a world of about `size` facts and every kind of bad event, oldest first.

    `clock_edges` adds events at and just past ten minutes after `now`: only for a service whose
    clock stands at `now`. Without them every verdict holds under any later clock.
    """
    rng = random.Random(seed)
    rules = {**BUILT_IN, **CUSTOM_RULES}
    shops = [_shop(row) for row in _SHOP_ROWS]
    days = _days_around_changes(now.date())
    tellers = [
        Teller(shop, rules[shop.get("rules") or shop["marketplace"]], now, days)
        for shop in shops
        if shop["shop_id"] != _IDLE
    ]
    story = Story(rng, tellers)
    facts = story.tell(size)
    good = [Sent(event, "stored", number) for number, event in enumerate(facts)]
    versions = [Sent(*version) for version in later_versions(rng, facts, story)]
    stated = [*good, *(sent for sent in versions if sent.code == "stored")]
    others = versions + _sent_again(rng, stated, story) + _contradicted(rng, stated, story)
    others += [Sent(event, code, None) for event, code in faulty_events(rng, facts, shops)]
    if clock_edges:
        edges = clock_edge_events(facts, now)
        others += [
            Sent(event, code, len(good) + extra if code == "stored" else None)
            for extra, (event, code) in enumerate(edges)
        ]
    stream = list(good)
    for sent in others:
        stream.insert(rng.randint(0, len(stream)), sent)
    return World(
        seed=seed,
        now=now,
        rules=CUSTOM_RULES,
        shops=shops,
        ladders=LADDERS,
        events=_hold_contradictions(stream),
        days=days,
        snapshot_days=[now.date() - timedelta(days=17), now.date() - timedelta(days=1)],
    )


def shuffled(events: Sequence[Sent], seed: int) -> list[Sent]:
    """Return the events in random order, about half of them twice.

    A contradiction never comes before the version it contradicts; repeats get no new id.
    """
    rng = random.Random(seed)
    repeated = [sent for sent in events if rng.random() < 0.5]
    stream = [*events, *repeated]
    rng.shuffle(stream)
    return _hold_contradictions(stream)


def expected_verdicts(stream: Iterable[Sent]) -> list[str]:
    """Return the expected code of each event, arriving in this order."""
    standing: dict[int, int] = {}
    verdicts = []
    for sent in stream:
        verdict = sent.code
        if sent.fact is not None:
            highest = standing.get(sent.fact, -1)
            if sent.revision < highest or (sent.revision, verdict) == (highest, "stored"):
                verdict = "duplicate"
            elif verdict == "stored":
                standing[sent.fact] = sent.revision
        verdicts.append(verdict)
    return verdicts


def _hold_contradictions(stream: Iterable[Sent]) -> list[Sent]:
    """Move each contradiction that came too early to just after its version."""
    arrived: set[tuple[int | None, int]] = set()
    held: defaultdict[tuple[int | None, int], list[Sent]] = defaultdict(list)
    ordered: list[Sent] = []
    for sent in stream:
        version = (sent.fact, sent.revision)
        if sent.code == "conflict" and version not in arrived:
            held[version].append(sent)
            continue
        ordered.append(sent)
        if sent.code == "stored":
            arrived.add(version)
            ordered += held.pop(version, [])
    return ordered


def _shop(row: Sequence[str | None]) -> Json:
    given = zip(_SHOP_COLUMNS, row, strict=True)
    return {name: value for name, value in given if value is not None}


def _days_around_changes(today: date) -> list[date]:
    """Return today, yesterday, and days around changes of summer time."""
    year = today.year
    fixed = [date(2012, 1, 2), date(year, 2, 29 if year % 4 == 0 else 28), date(year, 3, 31)]
    autumn = [date(year, 10, 27), date(year, 10, 31), date(year, 11, 4)]
    return [*fixed, *autumn, today - timedelta(days=1), today]


def _sent_again(rng: random.Random, stated: Sequence[Sent], story: Story) -> list[Sent]:
    """Send some facts a second time, spelled in another way."""
    chosen = rng.sample(stated, len(stated) // 8)
    return [replace(sent, event=respell(rng, sent.event, story.new_delivery())) for sent in chosen]


def _contradicted(rng: random.Random, stated: Sequence[Sent], story: Story) -> list[Sent]:
    """Send some identities again with other content."""
    contradictions = []
    for sent in rng.sample(stated, len(stated) // 8):
        twin = contradict(rng, sent.event, story.new_delivery())
        if twin is not None:
            contradictions.append(replace(sent, event=twin, code="conflict"))
    return contradictions
