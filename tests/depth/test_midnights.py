"""Days end at another instant in each zone; stored totals follow, answers do not wait."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.depth.session import Both, Session, send_world
from tests.reference.rules import BUILT_IN
from tests.reference.worlds import CUSTOM_RULES, NOW, World, world

STEPS = (1, 6, 20, 24 * 8, 24 * 30, 24 * 200)
"""Hours between two looks at the clock."""


def thirds(made: World) -> tuple[World, list[list[object]]]:
    """Split a world: a third of its events, and the rest in parts."""
    events = [sent.event for sent in made.events]
    rest = events[1::3] + events[2::3]
    size = len(rest) // len(STEPS) + 1
    parts = [rest[place : place + size] for place in range(0, len(rest), size)]
    return World(**{**made.__dict__, "events": made.events[::3]}), parts


async def agree_today(both: Both) -> None:
    """Compare every shop as of its own today and two earlier days."""
    for shop_id in both.reference.shop_ids:
        today = both.reference.today(shop_id)
        for what in ("scorecard", "dsr", "tier", "sell_through"):
            path = what.replace("_", "-")
            await both.agree(shop_id, path, getattr(both.reference, what)(shop_id))
        for day in (today - timedelta(days=1), today - timedelta(days=40)):
            expected = both.reference.scorecard(shop_id, day)
            await both.agree(shop_id, "scorecard", expected, as_of=day)


async def days_of_totals(service: Session) -> dict[str, object]:
    """Return the running day of each shop."""
    rows = await service.database.run(
        lambda connection: connection.fetch(
            "select shop_id, day from shops join shop_totals using (shop_key)"
        )
    )
    return dict(rows)


@pytest.mark.parametrize("seed", [81, 82, 83])
async def test_no_answer_depends_on_when_running_totals_are_moved(
    service: Session, seed: int
) -> None:
    rng = random.Random(seed)
    made, parts = thirds(world(seed, 400))
    both = await send_world(service, made)
    for hours in STEPS:
        both.move(both.reference.now + timedelta(hours=hours, minutes=rng.randrange(60)))
        acts = [rng.choice(("roll", "post", "rules", "shop")) for _ in range(3)]
        for act in [*acts, "post"]:
            if act == "roll":
                await service.context.scores.roll(service.clock.now)
            elif act == "post":
                await both.post(parts.pop() if parts else [])
            elif act == "rules":
                fields = {**CUSTOM_RULES["open-1"], "rating_window_days": rng.randint(1, 400)}
                await both.put_rules("open-1", fields)
            else:
                shop = rng.choice(made.shops)
                await both.put_shop({**shop, "rules": rng.choice(("strict", "open-1", "taobao"))})
        await agree_today(both)
        assert await service.differences() == []


async def test_totals_stand_for_the_day_of_each_zone_once_moved(service: Session) -> None:
    both = await send_world(service, world(84, 300))
    now = datetime(2024, 11, 21, 9, 30, tzinfo=UTC)
    for hour in range(0, 30, 5):
        both.move(now + timedelta(hours=hour))
        moved = await service.context.scores.roll(service.clock.now)
        assert await service.context.scores.roll(service.clock.now) == 0
        days = await days_of_totals(service)
        assert days == {shop_id: both.reference.today(shop_id) for shop_id in days}
        assert moved > 0 or hour in {5, 10, 20, 25}
        assert await service.differences() == []
        await agree_today(both)


async def test_a_midnight_passes_for_one_shop_and_not_for_another(service: Session) -> None:
    both = await send_world(service, world(85, 300))
    for zone_ends in (
        datetime(2024, 11, 21, 0, 0, tzinfo=UTC),
        datetime(2024, 11, 21, 10, 0, tzinfo=UTC),
        datetime(2024, 11, 21, 16, 0, tzinfo=UTC),
        datetime(2024, 11, 21, 18, 15, tzinfo=UTC),
        datetime(2024, 11, 21, 23, 0, tzinfo=UTC),
        datetime(2024, 11, 22, 3, 0, tzinfo=UTC),
        datetime(2024, 11, 22, 5, 0, tzinfo=UTC),
    ):
        for beside in (timedelta(microseconds=-1), timedelta(0)):
            both.move(zone_ends + beside)
            for shop_id in both.reference.shop_ids:
                await both.agree(shop_id, "scorecard", both.reference.scorecard(shop_id))
        await service.context.scores.roll(service.clock.now)
    assert await service.differences() == []


async def test_totals_moved_ahead_of_a_clock_that_lags_still_serve_its_day(
    service: Session,
) -> None:
    both = await send_world(service, world(86, 300))
    await service.context.scores.roll(NOW + timedelta(days=3))
    await agree_today(both)
    await both.put_rules("strict", BUILT_IN["taobao"])
    await agree_today(both)
    assert await service.differences() == []
