"""Listings in their views, ratings by state, and the sell-through of any window, page by page."""

import random

import pytest

from tests.depth.session import Session, told
from tests.reference.listings import VIEWS
from tests.reference.worlds import world

SEEDS = (41, 42)


@pytest.mark.parametrize("seed", SEEDS)
async def test_listings_of_every_view_and_day_equal_the_reference(
    service: Session, seed: int
) -> None:
    made = world(seed, 700)
    both = await told(service, made)
    rng = random.Random(seed)
    for shop_id in both.reference.shop_ids:
        for view in VIEWS:
            day = rng.choice((*made.days[:-1], both.reference.today(shop_id)))
            limit = rng.randint(1, 7)
            path = f"shops/{shop_id}/listings"
            found = await service.walk(path, limit, view=view, as_of=day)
            assert found == both.reference.listings(shop_id, day, view), (shop_id, view, day)


@pytest.mark.parametrize("seed", SEEDS)
async def test_ratings_of_every_state_and_span_equal_the_reference(
    service: Session, seed: int
) -> None:
    made = world(seed, 500)
    both = await told(service, made)
    rng = random.Random(seed)
    for shop_id in both.reference.shop_ids:
        path = f"shops/{shop_id}/reviews"
        for state in (None, "counted", "late", "capped", "removed"):
            asked = {} if state is None else {"state": state}
            found = await service.walk(path, rng.randint(1, 7), **asked)
            assert found == both.reference.reviews(shop_id, state), (shop_id, state)
            days = [*made.days[:-1], both.reference.today(shop_id)]
            start, end = sorted((rng.choice(days), rng.choice(days)))
            found = await service.walk(path, 7, **asked, start=start, end=end)
            assert found == both.reference.reviews(shop_id, state, start, end)


@pytest.mark.parametrize("seed", SEEDS)
async def test_sell_through_of_any_window_equals_the_reference(service: Session, seed: int) -> None:
    made = world(seed, 700)
    both = await told(service, made)
    rng = random.Random(seed)
    for shop_id in both.reference.shop_ids:
        day = rng.choice((*made.days[:-1], both.reference.today(shop_id)))
        for window in (1, 365, 30, rng.randint(2, 364)):
            expected = both.reference.sell_through(shop_id, day, window)
            await both.agree(shop_id, "sell-through", expected, as_of=day, window_days=window)
