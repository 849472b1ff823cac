"""Rules, shops and events that change at once."""

import asyncio
import random

import pytest

from tests.depth.rule_worlds import random_rules
from tests.depth.session import Session, rating

SHOPS = [f"s-{number}" for number in range(6)]


@pytest.mark.parametrize("seed", [61, 62, 63])
async def test_no_shop_is_left_on_an_older_version_of_its_rules(
    service: Session, seed: int
) -> None:
    rng = random.Random(seed)
    await service.put("rules/mine", random_rules(rng))
    work = []
    for number in range(90):
        kind = rng.random()
        shop_id = rng.choice(SHOPS)
        if kind < 0.2:
            work.append(service.put("rules/mine", random_rules(rng)))
        elif kind < 0.6:
            shop = {
                "marketplace": "m",
                "category": rng.choice(("c", "d")),
                "currency": "CNY",
                "rules": rng.choice(("mine", "mine", "taobao")),
            }
            work.append(service.put(f"shops/{shop_id}", shop))
        else:
            batch = [rating(name, number * 10 + n) for n, name in enumerate(sorted(set(SHOPS)))]
            work.append(service.client.post("/v1/events", json=batch))
    await asyncio.gather(*work)
    newest = (await service.read("rules/mine"))["version"]
    followed = set()
    for shop_id in SHOPS:
        rules = (await service.read(f"shops/{shop_id}/scorecard"))["rules"]
        followed.add(rules["name"])
        assert rules in ({"name": "mine", "version": newest}, {"name": "taobao", "version": 1})
    assert "mine" in followed
    assert await service.context.rules.rebuild() == 0
    assert await service.differences() == []
