"""What a snapshot says of shops that change after it was taken."""

import random
from datetime import timedelta
from typing import Any

import pytest

from infra.postgres.rules import RulesCache
from tests.depth.session import Session, rating, send_world_with_snapshots
from tests.reference.rules import BUILT_IN
from tests.reference.worlds import World, world

LATER = 5
"""Events that come in after the snapshots: one of so many."""


async def agree_on_peers(both: Any, made: World) -> None:
    """Compare what depends on snapshots, as of their days and of today."""
    for shop_id in both.reference.shop_ids:
        for day in (*made.snapshot_days, both.reference.today(shop_id)):
            await both.agree(shop_id, "dsr", both.reference.dsr(shop_id, day), as_of=day)
            await both.agree(shop_id, "tier", both.reference.tier(shop_id, day), as_of=day)
            expected = both.reference.scorecard(shop_id, day)
            await both.agree(shop_id, "scorecard", expected, as_of=day)


@pytest.mark.parametrize("seed", [71, 72])
async def test_a_second_snapshot_of_a_date_replaces_the_first(service: Session, seed: int) -> None:
    made = world(seed, 900)
    early = [sent for number, sent in enumerate(made.events) if number % LATER]
    both = await send_world_with_snapshots(service, World(**{**made.__dict__, "events": early}))
    await both.post([sent.event for sent in made.events[::LATER]])
    await agree_on_peers(both, made)
    both.move(made.now + timedelta(minutes=1))
    for day in made.snapshot_days:
        await both.snapshot(day)
        await agree_on_peers(both, made)
    listed = (await service.read("peer-snapshots"))["items"]
    assert [item["as_of"] for item in listed] == [f"{day}" for day in made.snapshot_days[::-1]]


@pytest.mark.parametrize("seed", [73, 74])
async def test_shops_that_moved_to_another_category_since_are_compared_there(
    service: Session, seed: int
) -> None:
    made = world(seed, 900)
    both = await send_world_with_snapshots(service, made)
    rng = random.Random(seed)
    places = [(shop["marketplace"], shop["category"]) for shop in made.shops]
    for shop in rng.sample(made.shops, 8):
        marketplace, category = rng.choice(places)
        moved = {**shop, "marketplace": marketplace, "category": category, "rules": "open-1"}
        await both.put_shop(moved)
    await agree_on_peers(both, made)


async def test_shops_opened_since_have_peers_but_no_percentile(service: Session) -> None:
    made = world(75, 900)
    both = await send_world_with_snapshots(service, made)
    for shop in made.shops[:3]:
        twin = {**shop, "shop_id": f"{shop['shop_id']}-2", "rules": "open-1"}
        await both.put_shop(twin)
        await both.post(
            [
                {**sent.event, "subject": twin["shop_id"]}
                for sent in made.events
                if isinstance(sent.event, dict) and sent.event.get("subject") == shop["shop_id"]
            ]
        )
    await agree_on_peers(both, made)


async def test_no_shop_is_left_out_whose_rules_change_meanwhile(
    service: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {**BUILT_IN["taobao"], "rating_window_days": 7}
    await service.put("rules/mine", BUILT_IN["taobao"])
    for number in range(6):
        shop = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "mine"}
        await service.put(f"shops/s-{number}", shop)
        await service.post([rating(f"s-{number}", number)])
    version = RulesCache.version

    async def changed_before(self: RulesCache, *arguments: Any) -> Any:
        monkeypatch.undo()
        await service.put("rules/mine", changed)
        return await version(self, *arguments)

    monkeypatch.setattr(RulesCache, "version", changed_before)
    assert (await service.snapshot())["shops"] == 6
    assert (await service.read("shops/s-1/dsr"))["dsr"]["service"]["peers"]["shops"] == 6
