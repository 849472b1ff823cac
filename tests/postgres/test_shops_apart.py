"""The trouble of one shop stops no other shop."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from infra.postgres import peers
from infra.postgres.peers import Peers
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


@pytest.mark.parametrize(
    "spoil",
    [
        "update shop_totals set paid = 'NaN' where shop_key = {}",
        "update shops set rules = 'gone' where shop_key = {}",
    ],
)
async def test_a_shop_that_cannot_be_ranked_stops_no_other_shop(
    storage: Storage, spoil: str
) -> None:
    scripted_world = world(5, 200)
    await storage.open(scripted_world)
    await storage.record(events_of(scripted_world.events))
    shops = await fetch(storage.url, "select shop_key, shop_id from shops order by shop_key")
    spoilt = shops[1]
    snapshots = Peers(storage.database, storage.rules._rules)
    day = storage.now.date()
    assert (await snapshots.take_snapshot(storage.act, day)).shops == len(shops)
    await execute(storage.url, spoil.format(spoilt["shop_key"]))
    with capture_logs() as logged:
        assert (await snapshots.take_snapshot(storage.act, day)).shops == len(shops) - 1
    [entry] = logged
    assert (entry["event"], entry["shop_id"]) == ("left out of a snapshot", spoilt["shop_id"])
    ranked = "select unnest(shop_keys) as shop_key from peer_members"
    keys = {row["shop_key"] for row in await fetch(storage.url, ranked)}
    assert keys == {shop["shop_key"] for shop in shops} - {spoilt["shop_key"]}
    # On schedule the failure is raised when all is done.
    yesterday = day - timedelta(days=1)
    with pytest.raises((TypeError, ValueError)):
        await snapshots.take_snapshots(yesterday, storage.now, unless_since=storage.now)
    [header] = await snapshots.page(storage.tenant_id, day, 2)
    assert (header.as_of, header.shops) == (yesterday, len(shops) - 1)


async def test_a_snapshot_is_of_one_moment_whatever_arrives_meanwhile(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted_world = world(5, 400)
    await storage.open(scripted_world)
    events = events_of(scripted_world.events)
    half = len(events) // 2
    await storage.record(events[:half])
    snapshots = Peers(storage.database, storage.rules._rules)
    day = storage.now.date() - timedelta(days=3)
    tables = ("peer_groups", "peer_members")

    async def taken() -> list[list[asyncpg.Record]]:
        await snapshots.take_snapshot(storage.act, day)
        return [
            await fetch(storage.url, f"select * from {table} order by {table}") for table in tables
        ]

    before = await taken()
    move_to = peers._move_to

    async def move_later(*arguments: Any) -> None:
        await storage.record(events[half:])
        await move_to(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(peers, "_move_to", move_later)
        assert await taken() == before
    assert await taken() != before
