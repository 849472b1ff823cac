"""Replay: any shop under any rules."""

import random

import pytest

from tests.depth.rule_worlds import random_rules
from tests.depth.session import Session, send_world_with_snapshots
from tests.reference.worlds import world

SEEDS = (31, 32)


@pytest.mark.parametrize("seed", SEEDS)
async def test_replay_foretells_what_a_shop_scores_once_given_the_rules(
    service: Session, seed: int
) -> None:
    made = world(seed, 500)
    both = await send_world_with_snapshots(service, made)
    rng = random.Random(seed)
    names = []
    for number in range(3):
        names.append(f"drawn-{number}")
        await both.put_rules(names[-1], random_rules(rng))
    for shop in made.shops:
        shop_id, name = shop["shop_id"], rng.choice(names)
        day = rng.choice(made.days[:-1])
        foretold = await service.read(f"shops/{shop_id}/dsr", as_of=day, rules=name)
        assert foretold == both.reference.dsr(shop_id, day, name)
        await both.put_shop({**shop, "rules": name})
        stored = await service.read(f"shops/{shop_id}/dsr", as_of=day)
        for dimension in ("description", "service", "logistics"):
            stored["dsr"][dimension]["peers"] = None
        assert stored == foretold
        await both.agree_on_scores([shop_id], made.days[-3:-1])
    assert await service.differences() == []


async def test_replay_under_its_own_rules_leaves_out_peers_alone(service: Session) -> None:
    made = world(33, 400)
    both = await send_world_with_snapshots(service, made)
    for shop in made.shops:
        shop_id, own = shop["shop_id"], shop.get("rules") or shop["marketplace"]
        for day in made.days[:-1]:
            replayed = await service.read(f"shops/{shop_id}/dsr", as_of=day, rules=own)
            assert replayed == both.reference.dsr(shop_id, day, own)
            expected = both.reference.dsr(shop_id, day)
            for dimension in ("description", "service", "logistics"):
                expected["dsr"][dimension]["peers"] = None
            assert replayed == expected
