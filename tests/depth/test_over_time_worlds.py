"""Trend, change, forecast and plan on random worlds."""

import random
from datetime import date, timedelta
from typing import Any

import pytest

from tests.depth.session import Both, Session, told
from tests.reference.facts import DIMENSIONS
from tests.reference.worlds import world

SEEDS = (11, 12)


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_lies_behind_and_ahead_equals_the_reference(service: Session, seed: int) -> None:
    made = world(seed, 500)
    both = await told(service, made)
    rng = random.Random(seed)
    for shop_id in both.reference.shop_ids:
        today = both.reference.today(shop_id)
        days = [*(day for day in made.days if day <= today), today]
        await agree_over_time(both, rng, shop_id, rng.choice(days))


async def agree_over_time(both: Both, rng: random.Random, shop_id: str, day: date) -> None:
    """Ask each of the four once or twice about what ends on, or begins after, a day."""
    reference = both.reference
    for length in (1, rng.randint(2, 90)):
        start = day - timedelta(days=length - 1)
        span = {"start": start, "end": day}
        await both.agree(shop_id, "trend", reference.trend(shop_id, start, day), **span)
    for gap in (1, rng.randint(2, 800)):
        start = day - timedelta(days=gap)
        span = {"start": start, "end": day}
        await both.agree(shop_id, "dsr/change", reference.change(shop_id, start, day), **span)
    for ahead in (1, rng.choice((30, 180))):
        expected = reference.forecast(shop_id, day, ahead)
        await both.agree(shop_id, "dsr/forecast", expected, as_of=day, days=ahead)
    for dimension in DIMENSIONS:
        target = rng.choice(("1", "5", "5.0", "4.80000", "4.99999", "3.5", "1.00001", "4"))
        goal: dict[str, Any] = {
            "dimension": dimension,
            "target": target,
            "by": day + timedelta(days=rng.choice((0, 1, 30, 179, 180, 365))),
            "stars": rng.randint(1, 5),
        }
        expected = reference.plan(shop_id, day, **goal)
        await both.agree(shop_id, "dsr/plan", expected, as_of=day, **goal)
