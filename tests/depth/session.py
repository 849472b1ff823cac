"""Run the service and the reference side by side on the same input."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from api.ports import Ports
from infra.postgres.database import Database
from infra.postgres.rules import RulesCache
from infra.postgres.shop_cache import ShopCache
from infra.postgres.verification import Verification
from tests.api.samples import envelope
from tests.conftest import Clock
from tests.reference.rules import Json
from tests.reference.scores import Reference
from tests.reference.worlds import World

Value = str | int | date


class Session:
    """A tenant's client, and the ports that some tests need."""

    def __init__(
        self, client: httpx.AsyncClient, context: Ports, database: Database, clock: Clock
    ) -> None:
        """Store the client, its ports and its clock."""
        self.client = client
        self.context = context
        self.database = database
        self.clock = clock

    async def get(self, path: str, **query: Value) -> httpx.Response:
        """Send GET under `/v1`."""
        return await self.client.get(f"/v1/{path}", params={k: str(v) for k, v in query.items()})

    async def read(self, path: str, **query: Value) -> Json:
        """Send GET under `/v1` and return the body of a 200."""
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    async def put(self, path: str, body: object) -> httpx.Response:
        """Send PUT under `/v1`, which must succeed."""
        answer = await self.client.put(f"/v1/{path}", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer

    async def put_shop(self, shop: Json) -> None:
        """Store a shop given as the reference writes it."""
        body = {name: value for name, value in shop.items() if name != "shop_id"}
        await self.put(f"shops/{quote(shop['shop_id'])}", body)

    async def post(self, events: Sequence[object]) -> Json:
        """Send a batch and return the counts of its outcomes."""
        answer = await self.client.post("/v1/events", json=list(events))
        assert answer.status_code in {200, 207, 422}, answer.text
        body: Json = answer.json()
        return body

    async def snapshot(self, day: date | None = None) -> Json:
        """Take a peer snapshot."""
        content = json.dumps({"as_of": day.isoformat()}) if day else ""
        headers = {"content-type": "application/json"} if day else {}
        answer = await self.client.post("/v1/peer-snapshots", content=content, headers=headers)
        assert answer.status_code == 201, answer.text
        body: Json = answer.json()
        return body

    async def walk(self, path: str, limit: int, **query: Value) -> Json:
        """Read all pages as a single page with all items."""
        whole = await self.read(path, limit=limit, **query)
        page = whole
        assert len(page["items"]) <= limit
        while page["next_cursor"] is not None:
            assert len(page["items"]) == limit
            page = await self.read(path, limit=limit, cursor=page["next_cursor"])
            assert page["items"]
            whole["items"] += page["items"]
        return {**whole, "next_cursor": None}

    async def differences(self) -> list[Any]:
        """Return the stored totals that differ from a recount."""
        verification = Verification(self.database, ShopCache(self.database, RulesCache()))
        return [
            (shop.shop_id, difference)
            async for shop in verification.shops(self.clock.now, mend=False)
            for difference in shop.differences
        ]


class Both:
    """The service and the reference, which get the same input."""

    def __init__(self, service: Session, reference: Reference) -> None:
        """Set the service's clock to the reference's."""
        self.service = service
        self.reference = reference
        service.clock.now = reference.now

    def move(self, now: datetime) -> None:
        """Set both clocks."""
        self.service.clock.now = self.reference.now = now

    async def put_rules(self, name: str, fields: Json) -> None:
        """Store rules in both, which must name the same version."""
        answer = await self.service.put(f"rules/{name}", fields)
        assert self.reference.put_rules(name, fields)["version"] == answer.json()["version"]

    async def put_shop(self, shop: Json) -> None:
        """Store or replace a shop in both."""
        self.reference.put_shop(shop)
        await self.service.put_shop(shop)

    async def post(self, events: Sequence[object]) -> None:
        """Send events to both, which must agree on each."""
        answer = await self.service.post(events)
        expected = self.reference.post(events).body
        assert _verdicts(answer) == _verdicts(expected)

    async def snapshot(self, day: date | None = None) -> None:
        """Take a snapshot in both, whose headers must agree."""
        assert await self.service.snapshot(day) == self.reference.snapshot(day)

    async def agree(self, shop_id: str, what: str, expected: Json, **query: Value) -> None:
        """Compare the answers of both, to the digit."""
        answer = await self.service.read(f"shops/{quote(shop_id)}/{what}", **query)
        assert answer == expected, f"{shop_id} {what}?{urlencode(query)}"

    async def agree_on_scores(self, shop_ids: Iterable[str], days: Sequence[date]) -> None:
        """Compare all answers from stored totals as of each day."""
        for shop_id in shop_ids:
            for day in days:
                for what in ("scorecard", "dsr", "sell-through"):
                    answer = getattr(self.reference, what.replace("-", "_"))
                    await self.agree(shop_id, what, answer(shop_id, day), as_of=day)


async def send_world(service: Session, made: World) -> Both:
    """Send a world to both, but for its snapshots."""
    both = Both(service, made.empty_reference())
    for name, fields in made.rules.items():
        await service.put(f"rules/{name}", fields)
    for shop in made.shops:
        await service.put_shop(shop)
    for ladder in made.ladders:
        body = {name: ladder[name] for name in ("currency", "amounts")}
        await service.put(f"ladders/{ladder['marketplace']}/{ladder['category']}", body)
    await both.post([sent.event for sent in made.events])
    return both


async def send_world_with_snapshots(service: Session, made: World) -> Both:
    """Send a world to both, snapshots included."""
    both = await send_world(service, made)
    for day in made.snapshot_days:
        await both.snapshot(day)
    return both


def rating(shop_id: str, number: int) -> Json:
    """Return an event of a rating by some of a thousand buyers."""
    data = {
        "review_id": f"r-{number}",
        "order_id": f"o-{number}",
        "buyer_id": f"b-{number % 1000}",
        "scores": {"service": 5, "logistics": 4},
    }
    time = "2026-11-20T12:00:00Z"
    return envelope("review.posted", data, id=f"e-{number}", subject=shop_id, time=time)


def _verdicts(answer: Json) -> list[object]:
    rejected = [(error["index"], error["code"]) for error in answer["rejected"]]
    return [answer[name] for name in ("received", "stored", "duplicates")] + [rejected]
