"""Verifying finds whatever is stored otherwise than the facts say, and puts it right."""

import pytest

from domain.acts import COMMAND_LINE
from infra.postgres.audit_trail import AuditTrail
from tests.harness.postgres import execute
from tests.postgres.conftest import Storage, events_of, new_storage
from tests.reference.worlds import world

WORLD = world(5, 250)

FAULTS = [
    ("ratings", "update ratings set state = (state + 1) % 4 where day > '2024-10-01'"),
    ("daily_totals", "update daily_totals set paid = paid + 1 where paid > 0"),
    ("daily_totals", "update daily_totals set logistics_5 = logistics_5 + 1, late = late - 1"),
    ("daily_totals", "delete from daily_totals where day > '2024-10-01'"),
    ("daily_totals", "insert into daily_totals (shop_key, day, sold) select 1, '1999-12-31', 1"),
    (
        "daily_totals",
        "insert into daily_totals (shop_key, day, late) select shop_key, day, 1 from shop_totals",
    ),
    ("listing_days", "update listing_days set units = units + 1 where units = 1"),
    ("listing_days", "delete from listing_days"),
    ("listing_days", "insert into listing_days select 1, 'none', '1999-12-31', 1"),
    ("shop_totals", "update shop_totals set description_5 = description_5 + 1"),
    ("shop_totals", "update shop_totals set on_sale = -1, refunded = 7"),
    ("shop_totals", "update shop_totals set day_late = day_late + 1"),
    ("shop_totals", "update shop_totals set day = day - 3000"),
    ("shop_totals", "delete from shop_totals"),
]


@pytest.mark.parametrize(("table", "statement"), FAULTS)
async def test_a_planted_fault_is_found_and_repaired(
    storage: Storage, table: str, statement: str
) -> None:
    await storage.open(WORLD)
    await storage.record(events_of(WORLD.events))
    await storage.roll(days=40)
    before = await storage.stored()
    assert await storage.differences() == []

    await execute(storage.url, statement)
    assert await storage.stored() != before
    differences = await storage.differences()
    assert differences == [table]
    assert await storage.differences() == differences, "looking changes nothing"
    assert await storage.differences(mend=True) == differences
    assert await storage.differences() == []
    again = await new_storage(storage.database, storage.url)
    await again.roll(days=40)
    assert await again.stored() == before


async def test_a_row_is_named_with_what_is_stored_and_what_it_should_be(
    storage: Storage,
) -> None:
    await storage.open(WORLD)
    await storage.record(events_of(WORLD.events))
    await execute(storage.url, "update listing_days set units = units + 1")
    differences = [
        d async for s in storage.verification.shops(storage.now, mend=False) for d in s.differences
    ]
    assert differences
    for difference in differences:
        assert difference.table == "listing_days"
        assert difference.key
        assert isinstance(difference.recounted, int)
        assert difference.stored == difference.recounted + 1


async def test_a_shop_that_has_lost_its_running_totals_takes_events_as_any_other(
    storage: Storage,
) -> None:
    other = await new_storage(storage.database, storage.url, "other")
    events = events_of(WORLD.events)
    half = len(events) // 2
    for tenant in (storage, other):
        await tenant.open(WORLD)
        await tenant.record(events[:half])
    await execute(
        storage.url,
        f"delete from shop_totals using shops s where s.shop_key = shop_totals.shop_key"
        f" and tenant_id = {storage.tenant_id}",
    )
    for part in (events[:half], events[half:]):
        assert await storage.record(part) == await other.record(part)
    differences = [
        d async for s in storage.verification.shops(storage.now, mend=False) for d in s.differences
    ]
    assert [difference for difference in differences if difference.stored is not None] == [], (
        "but for idle shops"
    )
    await storage.differences(mend=True)
    for tenant in (storage, other):
        await tenant.roll(days=1)
    assert await storage.stored() == await other.stored()


async def test_what_was_repaired_is_in_the_audit_trail_of_its_tenant(storage: Storage) -> None:
    await storage.open(WORLD)
    await storage.record(events_of(WORLD.events))
    trail = AuditTrail(storage.database)
    before = await trail.page(storage.tenant_id, 100)
    await storage.differences(mend=True)
    assert await trail.page(storage.tenant_id, 100) == before, "nothing was repaired"

    await execute(storage.url, "update listing_days set units = units + 1")
    await execute(storage.url, "update shop_totals set paid = paid + 1")
    spoilt = [s async for s in storage.verification.shops(storage.now, mend=False) if s.differences]
    assert {shop.tenant for shop in spoilt} == {"acme"}
    assert await trail.page(storage.tenant_id, 100) == before, "looking changes nothing"
    await storage.differences(mend=True)
    added = (await trail.page(storage.tenant_id, 100))[: -len(before)]
    assert {(entry.who, entry.what, entry.at) for entry in added} == {
        (COMMAND_LINE, "verify --repair", storage.now)
    }
    assert sorted(entry.on for entry in added) == sorted(
        [shop.shop_id, *sorted({difference.table for difference in shop.differences})]
        for shop in spoilt
    )
