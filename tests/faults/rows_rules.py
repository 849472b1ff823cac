"""Rules change while shops are registered under them and events arrive."""

import asyncio
import json
import random
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.faults.caller import Caller
from tests.faults.check import cards_wrong, count_facts, differences
from tests.faults.cluster import Cluster
from tests.faults.crowd import Model
from tests.faults.figures import Figures, Form
from tests.faults.stage import Stage, stage
from tests.faults.stream import Json, encoded, rating
from tests.reference.rules import BUILT_IN
from tests.reference.scores import Reference

CHANGERS, OPENERS = 2, 6
CHANGES_MAX, SHOPS_MAX = 30, 30
"""Of each changer, and of each opener: every change rebuilds every shop."""

RATINGS = 5
"""Of one buyer in one month; every change of rules moves the cap of these."""

ASKED_MAX = 50


def rules_meanwhile(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Every shop follows the newest rules, and its totals are those of these rules."""
    with stage(cluster, form, "rules change meanwhile", control=control) as on:
        asyncio.run(_World(on).play())
        return on.figures


class _World:
    """What is known of shops, of rules by version, and of events."""

    def __init__(self, on: Stage) -> None:
        self.on = on
        self.rng = random.Random(on.form.seed)
        self.numbers = count(1)
        self.rules: dict[int, Json] = {}
        self.shops: list[Json] = []
        self.sent: list[list[Json]] = []

    async def play(self) -> None:
        """All at once, and then what came of it."""
        on, turns = self.on, self.on.form.twins
        await self.change(1, asyncio.Barrier(1))
        together = asyncio.Barrier(CHANGERS)
        await asyncio.gather(
            *(self.change(min(turns // 4, CHANGES_MAX), together) for _ in range(CHANGERS)),
            *(self.open_shops(opener, min(turns, SHOPS_MAX)) for opener in range(OPENERS)),
        )
        on.figures.faults = next(self.numbers) - 1
        newest = max(self.rules)
        on.figures.claim(
            newest == on.figures.faults, f"{on.figures.faults} changes made version {newest}"
        )
        caller = Caller(on.service.host, on.service.port, on.key)
        await self.must_follow(caller, newest, self.shops)
        caller.hang_up()
        await count_facts(on.figures, on.url, Model(self.sent, []))
        on.figures.totals_wrong += await differences(on.url)
        reference = Reference(datetime.now(UTC))
        for version in sorted(self.rules):
            reference.put_rules("moving", self.rules[version])
        reference.put_shops(self.shops)
        events = [event for events in self.sent for event in events]
        on.figures.totals_wrong += await cards_wrong(
            on.service, on.key, reference, self.shops, events
        )
        on.figures.notes.append(f"{newest} versions of rules, {len(self.shops)} shops under them")

    async def change(self, turns: int, together: asyncio.Barrier) -> None:
        """Change the rules, with others; once that is answered, no shop follows those before."""
        on = self.on
        caller = Caller(on.service.host, on.service.port, on.key)
        for _ in range(turns):
            await together.wait()
            number = next(self.numbers)
            cap = 1 + number % (RATINGS - 1)
            rules = {**BUILT_IN["taobao"], "slow_days": number, "ratings_per_buyer_month": cap}
            found = await self.put(caller, "rules/moving", rules, "a change of rules")
            if found:
                self.rules[found["version"]] = rules
                await self.must_follow(caller, found["version"], self.shops[-ASKED_MAX:])
        caller.hang_up()

    async def open_shops(self, opener: int, shops: int) -> None:
        """Register shops under the rules, and send each its events."""
        on = self.on
        caller = Caller(on.service.host, on.service.port, on.key)
        for number in range(shops):
            shop_id = f"moving-{opener}-{number}"
            shop = {"marketplace": "taobao", "category": "toys", "currency": "CNY"}
            shop |= {"time_zone": "Asia/Shanghai", "rules": "moving"}
            if await self.put(caller, f"shops/{shop_id}", shop, "a new shop"):
                self.shops.append({**shop, "shop_id": shop_id})
            for name in (f"{shop_id}-{place}" for place in range(RATINGS)):
                events = [rating(on.clients.start, self.rng, shop_id, name, "b")]
                answer = await caller.ask("POST", "/v1/events", encoded(events))
                on.figures.claim(answer.status == 200, f"events were answered {answer.status}")
                self.sent.append(events)
        caller.hang_up()

    async def put(self, caller: Caller, path: str, body: Json, what: str) -> Any:
        """The answer to a PUT; nothing where it was not done."""
        answer = await caller.ask("PUT", f"/v1/{path}", json.dumps(body).encode(), _JSON)
        done = answer.status in {200, 201}
        self.on.figures.claim(done, f"{what} was answered {answer.status}")
        return answer.json() if done else None

    async def must_follow(self, caller: Caller, version: int, shops: list[Json]) -> None:
        """Claim that shops that have been registered follow rules of this version or later."""
        for start in range(0, len(shops), ASKED_MAX):
            names = (f"shop_id={shop['shop_id']}" for shop in shops[start : start + ASKED_MAX])
            answer = await caller.ask("GET", f"/v1/scorecards?{'&'.join(names)}")
            items = answer.json()["items"]
            behind = [item for item in items if item["scorecard"]["rules"]["version"] < version]
            self.on.figures.claim(
                not behind, f"{len(behind)} shops follow rules that were replaced"
            )


_JSON = "application/json"
