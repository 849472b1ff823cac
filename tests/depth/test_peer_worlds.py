"""Peers, quantile ladders and percentiles on random worlds."""

from datetime import timedelta

import pytest

from tests.depth.session import Session, told_with_snapshots
from tests.reference.worlds import world

SEEDS = (21, 22)


@pytest.mark.parametrize("seed", SEEDS)
async def test_comparisons_with_peers_equal_the_reference(service: Session, seed: int) -> None:
    made = world(seed, 900)
    both = await told_with_snapshots(service, made)
    await both.snapshot()
    before = min(made.snapshot_days) - timedelta(days=1)
    for shop_id in both.reference.shop_ids:
        for day in (before, *made.snapshot_days, both.reference.today(shop_id)):
            await both.agree(shop_id, "dsr", both.reference.dsr(shop_id, day), as_of=day)
            await both.agree(shop_id, "tier", both.reference.tier(shop_id, day), as_of=day)
            expected = both.reference.scorecard(shop_id, day)
            await both.agree(shop_id, "scorecard", expected, as_of=day)


async def test_many_scorecards_carry_the_ladders_of_their_own_groups(service: Session) -> None:
    made = world(23, 900)
    both = await told_with_snapshots(service, made)
    for day in made.snapshot_days:
        shop_ids = both.reference.shop_ids
        query = {"as_of": str(day), "shop_id": shop_ids}
        answer = await service.client.get("/v1/scorecards", params=query)
        assert answer.status_code == 200, answer.text
        assert answer.json()["items"] == [
            {"shop_id": shop_id, "scorecard": both.reference.scorecard(shop_id, day)}
            for shop_id in shop_ids
        ]
