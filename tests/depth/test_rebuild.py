"""Changed rules: every shop that follows them is rebuilt, one by one, and nothing is lost."""

import asyncio
import copy
import random
from typing import Any

import pytest

from domain.errors import Unavailable
from infra.postgres import rule_sets, shops
from infra.postgres.recount import repair
from infra.postgres.rule_sets import RuleSets
from infra.postgres.rules import RulesCache
from infra.postgres.shop_cache import ShopCache
from tests.api.samples import problem
from tests.depth.rule_worlds import random_rules
from tests.depth.session import Both, Session, send_world
from tests.reference.rules import Json
from tests.reference.worlds import World, world

SHOPS_OF_OPEN = ["apia_1", "pdd-2", "kwd-2"]
"""The shops that follow `open-1`, in the order in which they were opened."""


def days_of(made: World) -> list[Any]:
    """Return days that are past in every zone."""
    return made.days[-4:-1]


def stop_at_the_second(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Let rebuilds set an event before the second shop, and wait for another."""
    is_waiting, go_on = asyncio.Event(), asyncio.Event()
    rebuild_shop = RuleSets._rebuild_shop

    async def stop(self: RuleSets, tenant_id: int, shop_id: str, *rest: Any) -> None:
        if shop_id == SHOPS_OF_OPEN[1]:
            is_waiting.set()
            await go_on.wait()
        await rebuild_shop(self, tenant_id, shop_id, *rest)

    monkeypatch.setattr(RuleSets, "_rebuild_shop", stop)
    return is_waiting, go_on


@pytest.mark.parametrize("seed", [51, 52])
async def test_changed_rules_are_answered_when_every_shop_follows_them(
    service: Session, seed: int
) -> None:
    made = world(seed, 500)
    both = await send_world(service, made)
    rng = random.Random(seed)
    for name in ("open-1", "strict", "open-1"):
        await both.put_rules(name, random_rules(rng))
        await both.agree_on_scores(both.reference.shop_ids, days_of(made))
        assert await service.differences() == []


async def test_until_it_is_rebuilt_a_shop_answers_under_the_old_version(
    service: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(53, 500)
    both = await send_world(service, made)
    before = copy.deepcopy(both.reference)
    rules = random_rules(random.Random(53))
    is_waiting, go_on = stop_at_the_second(monkeypatch)
    putting = asyncio.create_task(both.put_rules("open-1", rules))
    await is_waiting.wait()
    assert not putting.done()
    after = copy.deepcopy(before)
    after.put_rules("open-1", rules)
    half_way = dict.fromkeys(before.shop_ids, before) | {SHOPS_OF_OPEN[0]: after}
    for shop_id, reference in half_way.items():
        await Both(service, reference).agree_on_scores([shop_id], days_of(made))
    assert await service.differences() == []
    go_on.set()
    await putting
    await both.agree_on_scores(both.reference.shop_ids, days_of(made))


async def test_what_is_recorded_half_way_is_counted_under_the_version_of_its_shop(
    service: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(54, 600)
    stream = [sent.event for sent in made.events]
    both = await send_world(service, World(**{**made.__dict__, "events": made.events[::2]}))
    is_waiting, go_on = stop_at_the_second(monkeypatch)
    putting = asyncio.create_task(both.put_rules("open-1", random_rules(random.Random(54))))
    await is_waiting.wait()
    await both.post(stream[1::2])
    assert await service.differences() == []
    go_on.set()
    await putting
    await both.agree_on_scores(both.reference.shop_ids, days_of(made))
    assert await service.differences() == []


async def test_a_failed_rebuild_is_finished_at_the_next_start(
    service: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(55, 500)
    both = await send_world(service, made)
    rules = random_rules(random.Random(55))
    repaired = []

    async def fail_at_the_second(*arguments: Any) -> None:
        await repair(*arguments)
        repaired.append(arguments)
        if len(repaired) == 2:
            raise Unavailable("the power is gone")

    monkeypatch.setattr(rule_sets, "repair", fail_at_the_second)
    answer = await service.client.put("/v1/rules/open-1", json=rules)
    assert problem(answer, 503) == "unavailable"
    monkeypatch.undo()
    before = copy.deepcopy(both.reference)
    both.reference.put_rules("open-1", rules)
    await both.agree_on_scores(SHOPS_OF_OPEN[:1], days_of(made))
    await Both(service, before).agree_on_scores(SHOPS_OF_OPEN[1:], days_of(made))
    assert await service.differences() == []

    restarted = RuleSets(service.database, ShopCache(service.database, RulesCache()))
    assert await restarted.rebuild() == 2
    assert await restarted.rebuild() == 0
    await both.agree_on_scores(both.reference.shop_ids, days_of(made))
    assert await service.differences() == []


async def test_sending_the_same_rules_again_finishes_a_rebuild_too(
    service: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(56, 400)
    both = await send_world(service, made)
    rules = random_rules(random.Random(56))
    begun = asyncio.Event()

    async def hang(*_: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(rule_sets, "repair", hang)
    putting = asyncio.create_task(service.put("rules/open-1", rules))
    await begun.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    monkeypatch.undo()
    assert await service.differences() == []
    await both.put_rules("open-1", rules)
    await both.agree_on_scores(both.reference.shop_ids, days_of(made))
    assert await service.differences() == []


async def test_a_shop_that_cannot_be_rebuilt_keeps_the_rules_it_had(
    service: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(57, 400)
    both = await send_world(service, made)
    shop = made.shops[0]

    async def fail(*_: Any) -> None:
        raise Unavailable("the power is gone")

    monkeypatch.setattr(shops, "repair", fail)
    body: Json = {**shop, "rules": "strict", "category": "other"}
    body.pop("shop_id")
    answer = await service.client.put(f"/v1/shops/{shop['shop_id']}", json=body)
    assert problem(answer, 503) == "unavailable"
    monkeypatch.undo()
    await both.agree_on_scores([shop["shop_id"]], days_of(made))
    await both.put_shop({**shop, "rules": "strict", "category": "other"})
    await both.agree_on_scores([shop["shop_id"]], days_of(made))
    assert await service.differences() == []


async def test_a_list_of_shops_can_be_given_other_rules_at_once(service: Session) -> None:
    made = world(58, 500)
    both = await send_world(service, made)
    changed = [{**shop, "rules": "open-1"} for shop in made.shops]
    answer = await service.client.post("/v1/shops", json=changed)
    moved = [shop for shop in made.shops if shop["shop_id"] not in SHOPS_OF_OPEN]
    assert answer.json()["changed"] == len(moved)
    both.reference.put_shops(changed)
    await both.agree_on_scores(both.reference.shop_ids, days_of(made))
    assert await service.differences() == []
