"""Verifying finds whatever is stored otherwise than the facts say, and puts it right."""

import pytest

from domain.acts import COMMAND_LINE
from infra.postgres.audit_trail import AuditTrail
from tests.harness.postgres import execute
from tests.postgres.conftest import Books, events_of, new_books
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
    ("shop_totals", "update shop_totals set day = day - 30"),
    ("shop_totals", "delete from shop_totals"),
]


@pytest.mark.parametrize(("table", "statement"), FAULTS)
async def test_a_planted_fault_is_found_and_repaired(
    books: Books, table: str, statement: str
) -> None:
    await books.open(WORLD)
    await books.record(events_of(WORLD.events))
    await books.roll(days=3)
    before = await books.stored()
    assert await books.differences() == []

    await execute(books.url, statement)
    assert await books.stored() != before
    differences = await books.differences()
    assert differences == [table]
    assert await books.differences() == differences, "looking changes nothing"
    assert await books.differences(mend=True) == differences
    assert await books.differences() == []
    again = await new_books(books.database, books.url)
    await again.roll(days=3)
    assert await again.stored() == before


async def test_a_row_is_named_with_what_is_stored_and_what_it_should_be(
    books: Books,
) -> None:
    await books.open(WORLD)
    await books.record(events_of(WORLD.events))
    await execute(books.url, "update listing_days set units = units + 1")
    differences = [
        d async for s in books.verification.shops(books.now, mend=False) for d in s.differences
    ]
    assert differences
    for difference in differences:
        assert difference.table == "listing_days"
        assert difference.key
        assert isinstance(difference.recounted, int)
        assert difference.stored == difference.recounted + 1


async def test_a_shop_that_has_lost_its_running_totals_takes_events_as_any_other(
    books: Books,
) -> None:
    other = await new_books(books.database, books.url, "other")
    events = events_of(WORLD.events)
    half = len(events) // 2
    for tenant in (books, other):
        await tenant.open(WORLD)
        await tenant.record(events[:half])
    await execute(
        books.url,
        f"delete from shop_totals using shops s where s.shop_key = shop_totals.shop_key"
        f" and tenant_id = {books.tenant_id}",
    )
    for part in (events[:half], events[half:]):
        assert await books.record(part) == await other.record(part)
    differences = [
        d async for s in books.verification.shops(books.now, mend=False) for d in s.differences
    ]
    assert [difference for difference in differences if difference.stored is not None] == [], (
        "but for idle shops"
    )
    await books.differences(mend=True)
    for tenant in (books, other):
        await tenant.roll(days=1)
    assert await books.stored() == await other.stored()


async def test_what_was_repaired_is_in_the_audit_trail_of_its_tenant(books: Books) -> None:
    await books.open(WORLD)
    await books.record(events_of(WORLD.events))
    trail = AuditTrail(books.database)
    before = await trail.newest(books.tenant_id, 100)
    await books.differences(mend=True)
    assert await trail.newest(books.tenant_id, 100) == before, "nothing was repaired"

    await execute(books.url, "update listing_days set units = units + 1")
    await execute(books.url, "update shop_totals set paid = paid + 1")
    spoilt = [s async for s in books.verification.shops(books.now, mend=False) if s.differences]
    assert {shop.tenant for shop in spoilt} == {"acme"}
    assert await trail.newest(books.tenant_id, 100) == before, "looking changes nothing"
    await books.differences(mend=True)
    added = (await trail.newest(books.tenant_id, 100))[: -len(before)]
    assert {(entry.who, entry.what, entry.at) for entry in added} == {
        (COMMAND_LINE, "verify --repair", books.now)
    }
    assert sorted(entry.on for entry in added) == sorted(
        [shop.shop_id, *sorted({difference.table for difference in shop.differences})]
        for shop in spoilt
    )
