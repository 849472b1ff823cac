"""Pages of ratings: newest first, ties by id, right while ratings arrive."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.samples import event, parameters
from tests.depth.session import Both, Session
from tests.reference.rules import Json
from tests.reference.scores import Reference

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


def posted(review_id: str, time: datetime, **data: object) -> Json:
    """Return an event of a rating by a buyer of its own."""
    names = {"review_id": review_id, "order_id": review_id, "buyer_id": review_id}
    data = {**names, "completed_at": None, **data}
    return event(data=data, time=time.isoformat(), id=f"e-{review_id}")


async def opened(service: Session, zone: str = "Asia/Shanghai") -> Both:
    """Open the shop `s` in both."""
    both = Both(service, Reference(service.clock.now))
    shop = {"shop_id": "s", "marketplace": "m", "category": "c", "currency": "CNY"}
    await both.put_shop({**shop, "rules": "taobao", "time_zone": zone})
    return both


async def test_ratings_of_one_instant_come_by_the_bytes_of_their_ids(service: Session) -> None:
    both = await opened(service)
    ids = ["a", "B", "b", "A", "~", "!", "_", "-", "0", "9", "aa", "a!", "Z", "z" * 64]
    await both.post([posted(name, NOON) for name in ids])
    for limit in (1, 2, 3, 5, 13, 14, 15):
        page = await service.walk("shops/s/reviews", limit)
        assert page == both.reference.reviews("s")
    assert [item["review_id"] for item in page["items"]] == sorted(ids)


async def test_a_microsecond_decides_the_order(service: Session) -> None:
    both = await opened(service)
    ticks = [NOON + timedelta(microseconds=tick) for tick in (0, 1, 2, 3, 999_999)]
    await both.post([posted(f"r-{9 - place}", time) for place, time in enumerate(ticks)])
    for limit in (1, 2, 4):
        assert await service.walk("shops/s/reviews", limit) == both.reference.reviews("s")


async def test_ratings_that_arrive_between_pages_move_no_other(service: Session) -> None:
    both = await opened(service)
    rng = random.Random(5)
    times = [NOON - timedelta(minutes=rng.randrange(60)) for _ in range(40)]
    await both.post([posted(f"r-{number:02}", time) for number, time in enumerate(times)])
    there = [item["review_id"] for item in both.reference.reviews("s")["items"]]
    seen: list[str] = []
    page = await service.read("shops/s/reviews", limit=3)
    while True:
        seen += [item["review_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        times = [NOON - timedelta(minutes=rng.randrange(60)) for _ in range(3)]
        numbers = range(100 + len(seen) * 3, 103 + len(seen) * 3)
        await both.post([posted(f"r-{n}", time) for n, time in zip(numbers, times, strict=True)])
        page = await service.read("shops/s/reviews", limit=3, cursor=page["next_cursor"])
    assert [review_id for review_id in seen if review_id in there] == there
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
async def test_the_oldest_rating_there_can_be_is_shown(service: Session, zone: str) -> None:
    both = await opened(service, zone)
    await both.post([posted("r-1", datetime(2000, 1, 1, tzinfo=UTC))])
    page = await service.read("shops/s/reviews")
    assert page == both.reference.reviews("s")
    assert len(page["items"]) == 1


async def test_a_rating_of_a_day_that_has_not_begun_is_shown_unless_a_day_ends_it(
    service: Session,
) -> None:
    both = await opened(service)
    both.move(datetime(2026, 11, 21, 15, 55, tzinfo=UTC))
    await both.post([posted("r-1", both.reference.now + timedelta(minutes=9))])
    assert await service.read("shops/s/reviews") == both.reference.reviews("s")
    today = both.reference.today("s")
    assert (await service.read("shops/s/reviews", end=today))["items"] == []


async def test_the_last_word_says_why_and_since_when_a_rating_is_out(service: Session) -> None:
    both = await opened(service)
    hours = [NOON + timedelta(hours=hour) for hour in range(4)]

    def act(name: str, at: datetime, reason: str | None) -> Json:
        data = {"review_id": "r-1", "reason": reason, "note": None}
        return event(f"review.{name}", data=data, time=at.isoformat())

    await both.post([posted("r-1", NOON)])
    for acts in (
        [act("removed", hours[1], "malicious")],
        [act("removed", hours[2], "violating_trade")],
        [act("removed", hours[0], "other")],
        [act("restored", hours[3], "other")],
        [act("removed", hours[3], None)],
    ):
        await both.post(acts)
        assert await service.read("shops/s/reviews") == both.reference.reviews("s")
    [item] = (await service.read("shops/s/reviews", state="removed"))["items"]
    assert item["removal"] == {"reason": None, "at": "2026-11-20T07:00:00Z"}


async def test_other_filters_than_the_first_page_had_are_refused(service: Session) -> None:
    both = await opened(service)
    await both.post([posted(f"r-{number}", NOON) for number in range(5)])
    first = {"state": "counted", "start": "2026-11-01", "end": "2026-11-20"}
    page = await service.read("shops/s/reviews", limit=2, **first)
    cursor = page["next_cursor"]
    for same in ({}, first, {"state": "counted"}, {"end": "2026-11-20"}):
        rest = await service.read("shops/s/reviews", cursor=cursor, **same)
        assert [item["review_id"] for item in rest["items"]] == ["r-2", "r-3", "r-4"]
    for name, value in (("state", "late"), ("start", "2026-11-02"), ("end", "2026-11-21")):
        answer = await service.get("shops/s/reviews", cursor=cursor, **{name: value})
        assert parameters(answer) == [name]
    cursor = (await service.read("shops/s/reviews", limit=2))["next_cursor"]
    assert parameters(await service.get("shops/s/reviews", cursor=cursor, state="late")) == [
        "state"
    ]
