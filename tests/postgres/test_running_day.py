"""What the day of the running totals adds stands in their row, and nowhere else."""

import random
from datetime import timedelta

import pytest

from tests.harness.postgres import execute
from tests.postgres.conftest import Storage, events_of, fetch, new_storage
from tests.reference.worlds import NOW, shuffled, world

LATER = timedelta(days=40)

IN_TWO_PLACES = """
    select from daily_totals d join shop_totals t on t.shop_key = d.shop_key and t.day = d.day
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_is_recorded_before_running_totals_are_moved_counts_as_after(
    storage: Storage, seed: int
) -> None:
    scripted_world = world(seed, 200, now=NOW + LATER)
    before, after = storage, await new_storage(storage.database, storage.url, "other")
    for books_of_tenant in (before, after):
        await books_of_tenant.open(scripted_world)
        books_of_tenant.now = NOW + LATER
    events = events_of(shuffled(scripted_world.events, seed))
    half = random.Random(seed).randrange(len(events))
    await before.record(events[:half])
    [ahead] = await fetch(
        storage.url,
        "select count(*) from daily_totals d join shop_totals t using (shop_key)"
        " where d.day > t.day",
    )
    assert ahead[0] > 0
    assert await before.differences() == []
    await before.roll()
    await after.record(events[:half])
    assert await before.stored() == await after.stored()
    for books_of_tenant in (before, after):
        await books_of_tenant.record(events[half:])
        assert await books_of_tenant.differences() == []
    assert await before.stored() == await after.stored()
    assert await fetch(storage.url, IN_TWO_PLACES) == []


async def test_a_day_without_anything_leaves_no_row_behind(storage: Storage) -> None:
    scripted_world = world(4, 200)
    await storage.open(scripted_world)
    await storage.record(events_of(scripted_world.events))
    rows = "select shop_key, day from daily_totals union select shop_key, day from shop_totals"
    before = {tuple(row) for row in await fetch(storage.url, rows)}
    for _ in range(40):
        await storage.roll(days=1)
    after = {
        tuple(row) for row in await fetch(storage.url, "select shop_key, day from daily_totals")
    }
    assert after <= before
    assert await storage.differences() == []


async def test_a_day_in_two_places_does_not_keep_the_others_from_moving_on(
    storage: Storage,
) -> None:
    scripted_world = world(4, 200)
    await storage.open(scripted_world)
    await storage.record(events_of(scripted_world.events))
    await execute(
        storage.url,
        "insert into daily_totals (shop_key, day, late) select shop_key, day, 1 from shop_totals",
    )
    await storage.roll(days=1)
    [outdated] = await fetch(
        storage.url, f"select count(*) from shop_totals where day < '{storage.now:%F}'"
    )
    assert outdated[0] == 0
    assert "daily_totals" in await storage.differences(mend=True)
    assert await storage.differences() == []
