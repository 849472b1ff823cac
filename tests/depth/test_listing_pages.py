"""Pages of listings stay right while listings come and go."""

import random
from typing import Any

import pytest

from api.ports import Ports
from infra.postgres.statements import sql
from tests.api.samples import event, parameters
from tests.depth.session import Session
from tests.depth.statements import Statements
from tests.reference.listings import VIEWS

SHOP = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "taobao"}
MARCH = "2026-03-01T12:00:00+08:00"
VIEWED = {"all", "on_sale", "slow"}
"""Where a listing of March that never sold is shown."""


def listing_event(name: str, listing: str, time: str = MARCH) -> Any:
    """Return an event that publishes, edits or withdraws a listing."""
    return event(f"listing.{name}", data={"listing_id": listing}, time=time)


@pytest.mark.parametrize("view", VIEWS)
async def test_what_is_there_throughout_is_seen_exactly_once(service: Session, view: str) -> None:
    rng = random.Random(view)
    await service.put("shops/s", SHOP)
    staying = [f"l-{number:03}" for number in range(0, 60, 2)]
    coming = [f"l-{number:03}" for number in range(1, 60, 2)]
    rng.shuffle(coming)
    await service.post([listing_event("published", listing) for listing in staying + coming[:10]])
    seen: list[str] = []
    page = await service.read("shops/s/listings", view=view, limit=4)
    while True:
        seen += [item["listing_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        gone, new = coming.pop(0), coming[-1]
        events = [
            listing_event("withdrawn", gone, "2026-11-20T12:00:00+08:00"),
            listing_event("published", new),
        ]
        await service.post(events)
        coming.append(coming.pop(rng.randrange(len(coming))))
        page = await service.read("shops/s/listings", limit=4, cursor=page["next_cursor"])
    assert seen == sorted(set(seen))
    expected = staying if view in VIEWED else []
    assert [listing for listing in seen if listing in staying] == expected


async def test_later_pages_keep_the_day_of_the_first_over_midnight(service: Session) -> None:
    await service.put("shops/s", SHOP)
    await service.post([listing_event("published", f"l-{number}") for number in range(5)])
    page = await service.read("shops/s/listings", limit=2)
    service.clock.now = service.clock.now.replace(day=25)
    await service.post([listing_event("withdrawn", "l-4", "2026-11-24T12:00:00+08:00")])
    rest = await service.read("shops/s/listings", limit=5, cursor=page["next_cursor"])
    assert rest["as_of"] == page["as_of"] == "2026-11-21"
    assert [item["on_sale"] for item in rest["items"]] == [True, True, True]
    assert {item["age_days"] for item in rest["items"]} == {265}


async def test_other_filters_than_the_first_page_had_are_refused(service: Session) -> None:
    await service.put("shops/s", SHOP)
    await service.post([listing_event("published", f"l-{number}") for number in range(5)])
    first = {"view": "on_sale", "as_of": "2026-11-20"}
    page = await service.read("shops/s/listings", limit=2, **first)
    cursor = page["next_cursor"]
    for same in ({}, first, {"view": "on_sale"}, {"as_of": "2026-11-20"}):
        rest = await service.read("shops/s/listings", limit=50, cursor=cursor, **same)
        assert [item["listing_id"] for item in rest["items"]] == ["l-2", "l-3", "l-4"]
        assert rest["as_of"] == "2026-11-20"
    for name, value in (("view", "all"), ("view", "slow"), ("as_of", "2026-11-21")):
        answer = await service.get("shops/s/listings", cursor=cursor, **{name: value})
        assert parameters(answer) == [name]


async def test_many_listings_of_which_few_are_in_the_view_fill_whole_pages(
    service: Session,
) -> None:
    await service.put("shops/s", SHOP)
    events = [listing_event("published", f"l-{number:04}") for number in range(1_300)]
    events += [
        listing_event("withdrawn", f"l-{number:04}", "2026-03-02T12:00:00+08:00")
        for number in range(1_300)
        if number % 130
    ]
    for part in range(0, len(events), 1_000):
        await service.post(events[part : part + 1_000])
    whole = await service.walk("shops/s/listings", 3, view="on_sale")
    assert [item["listing_id"] for item in whole["items"]] == [
        f"l-{number:04}" for number in range(0, 1_300, 130)
    ]
    answer = await service.read("shops/s/sell-through", window_days=12)
    assert answer["sell_through"]["on_sale"] == 10
    assert len((await service.walk("shops/s/listings", 500))["items"]) == 1_300


async def test_listings_of_which_none_is_in_the_view_are_looked_at_once(
    service: Session, context: Ports
) -> None:
    await service.put("shops/s", SHOP)
    lately = "2026-11-01T12:00:00+08:00"
    await service.post(
        [listing_event("published", f"l-{number:04}", lately) for number in range(1_300)]
    )
    statements = Statements()
    await statements.record_all(context)
    assert (await service.read("shops/s/listings", view="slow"))["items"] == []
    assert (await statements.take_sent()).count(sql("listings_page")) == 1
