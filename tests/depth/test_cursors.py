"""A cursor that no list returned is refused with a 400."""

import json
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from tests.api.samples import event, parameters
from tests.depth.session import Session

SHOP = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "taobao"}

AFTER: dict[str, list[Any]] = {
    "shops/s/listings": [
        None, [], {}, "l-1", [1], [None], ["l-1", "l-2"], [["l-1"]], [""], ["a\x00b"], ["\x00"],
        ["x" * 129], ["l-1\n"], ["l-1\x7f"], ["\ud800"],
    ],
    "shops/s/reviews": [
        None, [], ["2026-11-20T12:00:00Z"], ["r-1", "2026-11-20T12:00:00Z"], [0, "r-1"],
        ["2026-11-20T12:00:00Z", 1], ["2026-11-20T12:00:00Z", "a\x00b"], ["2026-11-20", "r-1"],
        ["2026-11-20T12:00:00", "r-1"], ["0001-01-01T00:00:00+14:00", "r-1"],
        ["9999-12-31T23:59:59-14:00", "r-1"], ["2026-11-20T12:00:00Z", "r-1", "more"],
        ["0000-01-01T00:00:00Z", "r-1"],
    ],
    "peer-snapshots": [
        None, [], [1], ["today"], ["2026-11-31"], ["2026-11-20", 1], ["0000-01-01"], ["\x00"],
    ],
    "shops": [None, [], [1], [""], [".."], ["a\x00b"], ["x" * 65], ["a/b"]],
}  # fmt: skip


async def lists(service: Session) -> dict[str, str]:
    """Make four lists and return a good cursor of each."""
    for number in range(3):
        await service.put(f"shops/{'stu'[number]}", SHOP)
        await service.snapshot(service.clock.now.date().replace(day=number + 1))
    for number in range(3):
        names = {"review_id": f"r-{number}", "buyer_id": f"b-{number}", "order_id": f"o-{number}"}
        await service.post(
            [event(data=names), event("listing.published", data={"listing_id": f"l-{number}"})]
        )
    cursors = {}
    for path in AFTER:
        page = await service.read(path, limit=1)
        assert len((await service.read(path, cursor=page["next_cursor"]))["items"]) == 2
        cursors[path] = page["next_cursor"]
    return cursors


async def test_a_cursor_of_another_list_is_refused(service: Session) -> None:
    cursors = await lists(service)
    for path in cursors:
        for other, cursor in cursors.items():
            if other != path:
                assert parameters(await service.get(path, cursor=cursor)) == ["cursor"]


async def test_a_cursor_with_another_place_in_it_is_refused(service: Session) -> None:
    for path, cursor in (await lists(service)).items():
        place = decoded(cursor)
        for after in AFTER[path]:
            forged = encoded({**place, "after": after})
            assert parameters(await service.get(path, cursor=forged)) == ["cursor"], after


async def test_a_cursor_with_other_filters_in_it_is_refused(service: Session) -> None:
    for path, cursor in (await lists(service)).items():
        place = decoded(cursor)
        others: list[Any] = [None, [], 1, "x", {"unknown": 1}, {"limit": "x", "view": 7}]
        for filters in others:
            forged = encoded({**place, "filters": filters})
            assert parameters(await service.get(path, cursor=forged)) == ["cursor"], filters
        for without in ("list", "filters", "after"):
            forged = encoded({key: value for key, value in place.items() if key != without})
            assert parameters(await service.get(path, cursor=forged)) == ["cursor"], without
    for day in ("2026-11-22", "1999-12-31", "0001-01-01", "9999-12-31"):
        for path, name in (("listings", "as_of"), ("reviews", "start"), ("reviews", "end")):
            place = decoded((await service.read(f"shops/s/{path}", limit=1))["next_cursor"])
            forged = encoded({**place, "filters": {name: day}})
            assert parameters(await service.get(f"shops/s/{path}", cursor=forged)) == [name]


async def test_what_is_no_cursor_is_refused(service: Session) -> None:
    texts = (
        "", "a", "ab", "abc", "abcd", "====", "=", "a b", "é", "\x00", "'", "+", "/", "x" * 2_049,
        "A" * 2_048, "e30", "W10", "bnVsbA", "MQ", "_w", "____",
    )  # fmt: skip
    deep = urlsafe_b64encode(b"[" * 1_500).decode().rstrip("=")
    for path in await lists(service):
        for text in (*texts, deep):
            assert parameters(await service.get(path, cursor=text)) == ["cursor"], text


async def test_no_change_of_a_cursor_breaks_anything(service: Session) -> None:
    rng = random.Random(7)
    for path, cursor in (await lists(service)).items():
        for cut in range(1, len(cursor)):
            assert parameters(await service.get(path, cursor=cursor[:cut])) == ["cursor"]
        for _ in range(150):
            place = rng.randrange(len(cursor))
            letter = rng.choice("ABCXYZabcxyz0189-_")
            changed = cursor[:place] + letter + cursor[place + 1 :]
            answer = await service.get(path, cursor=changed)
            assert answer.status_code in {200, 400}, changed


def decoded(cursor: str) -> Any:
    """Decode the content of a cursor."""
    return json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def encoded(place: object) -> str:
    """Encode content as a cursor."""
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
