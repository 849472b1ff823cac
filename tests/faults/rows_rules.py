"""Rules change while shops are registered under them and events arrive."""

import asyncio
import random
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from tests.faults.check import cards_wrong, count_facts, differences
from tests.faults.crowd import Model
from tests.faults.figures import Figures, Form
from tests.faults.stage import Stage, stage
from tests.faults.stream import Json, encoded, post, rating
from tests.harness.postgres import Cluster
from tests.reference.rules import BUILT_IN
from tests.reference.scores import Reference

CHANGERS, OPENERS = 2, 6
CHANGES_MAX, SHOPS_MAX = 30, 30
"""Of each changer, and of each opener: every change rebuilds every shop."""

RATINGS = 5
"""Of one buyer in one month; every change of rules moves the cap of these."""

SHOPS_ASKED_MAX = 50


def rules_meanwhile(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Change rules under load: every shop must follow the newest, in its totals too."""
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
        """Run all at once, and then check what came of it."""
        on, turns = self.on, self.on.form.twins
        await self.change(1, asyncio.Barrier(1))
        barrier = asyncio.Barrier(CHANGERS)
        await asyncio.gather(
            *(self.change(min(turns // 4, CHANGES_MAX), barrier) for _ in range(CHANGERS)),
            *(self.open_shops(opener, min(turns, SHOPS_MAX)) for opener in range(OPENERS)),
        )
        on.figures.faults = next(self.numbers) - 1
        newest = max(self.rules)
        on.figures.claim(
            newest == on.figures.faults, f"{on.figures.faults} changes made version {newest}"
        )
        async with on.client() as client:
            await self.must_follow(client, newest, self.shops)
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

    async def change(self, turns: int, barrier: asyncio.Barrier) -> None:
        """Change the rules; once that is answered, no shop may follow those before."""
        async with self.on.client() as client:
            for _ in range(turns):
                await barrier.wait()
                number = next(self.numbers)
                cap = 1 + number % (RATINGS - 1)
                rules = {**BUILT_IN["taobao"], "slow_days": number, "ratings_per_buyer_month": cap}
                stored = await self.put(client, "rules/moving", rules, "a change of rules")
                if stored:
                    self.rules[stored["version"]] = rules
                    await self.must_follow(client, stored["version"], self.shops[-SHOPS_ASKED_MAX:])

    async def open_shops(self, opener: int, shops: int) -> None:
        """Register shops under the rules, and send each its events."""
        on = self.on
        async with on.client() as client:
            for number in range(shops):
                shop_id = f"moving-{opener}-{number}"
                shop = {"marketplace": "taobao", "category": "toys", "currency": "CNY"}
                shop |= {"time_zone": "Asia/Shanghai", "rules": "moving"}
                if await self.put(client, f"shops/{shop_id}", shop, "a new shop"):
                    self.shops.append({**shop, "shop_id": shop_id})
                for name in (f"{shop_id}-{place}" for place in range(RATINGS)):
                    events = [rating(on.clients.start, self.rng, shop_id, name, "b")]
                    status = (await post(client, encoded(events))).status_code
                    on.figures.claim(status == 200, f"events were answered {status}")
                    self.sent.append(events)

    async def put(self, client: httpx.AsyncClient, path: str, body: Json, what: str) -> Any:
        """Return the body of a PUT, or None where it was refused."""
        answer = await client.put(f"/v1/{path}", json=body)
        done = answer.status_code in {200, 201}
        self.on.figures.claim(done, f"{what} was answered {answer.status_code}")
        return answer.json() if done else None

    async def must_follow(self, client: httpx.AsyncClient, version: int, shops: list[Json]) -> None:
        """Claim that shops that have been registered follow rules of this version or later."""
        for start in range(0, len(shops), SHOPS_ASKED_MAX):
            shop_ids = [shop["shop_id"] for shop in shops[start : start + SHOPS_ASKED_MAX]]
            answer = await client.get("/v1/scorecards", params={"shop_id": shop_ids})
            items = answer.json()["items"]
            behind = [item for item in items if item["scorecard"]["rules"]["version"] < version]
            self.on.figures.claim(
                not behind, f"{len(behind)} shops follow rules that were replaced"
            )
