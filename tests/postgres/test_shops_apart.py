"""The trouble of one shop stops no other shop."""

import asyncpg
import pytest

from tests.harness.postgres import execute
from tests.postgres.conftest import Storage, events_of, fetch
from tests.reference.worlds import world

DAYS = "select shop_key, day from shop_totals order by shop_key"


async def test_a_shop_that_cannot_be_rolled_stops_no_other_shop(storage: Storage) -> None:
    scripted_world = world(5, 200)
    await storage.open(scripted_world)
    await storage.record(events_of(scripted_world.events))
    before = {row["shop_key"]: row["day"] for row in await fetch(storage.url, DAYS)}
    assert len(before) > 2
    spoilt = sorted(before)[1]
    await execute(
        storage.url,
        "alter table shop_totals add constraint spoilt "
        f"check (shop_key <> {spoilt} or day <= date '{before[spoilt]}') not valid",
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await storage.roll(days=2)
    after = {row["shop_key"]: row["day"] for row in await fetch(storage.url, DAYS)}
    assert {key for key in before if after[key] == before[key]} == {spoilt}
    await execute(storage.url, "alter table shop_totals drop constraint spoilt")
    await storage.roll(days=0)
    [day] = await fetch(storage.url, f"select day from shop_totals where shop_key = {spoilt}")
    assert day["day"] > before[spoilt]
    assert await storage.differences() == []
