"""Pages of ratings, listings and snapshots hold their place, whatever happens between them."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

from tests.api.samples import Client, Json, event, open_shop, parameters, problem, review, store
from tests.conftest import Clock

REVIEWS = "/v1/shops/s/reviews"
LISTINGS = "/v1/shops/s/listings"


def at(minute: int) -> str:
    return f"2026-11-20T12:{minute:02}:00+08:00"


async def page(client: Client, path: str, cursor: str | None = None, **query: object) -> Json:
    given = {name: str(value) for name, value in query.items()}
    if cursor is not None:
        given["cursor"] = cursor
    answer = await client.get(path, params=given)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def test_every_rating_present_throughout_is_on_one_page(shop: Client) -> None:
    await store(shop, *(review(f"r-{n}", time=at(2 * n)) for n in range(12)))
    seen: list[str] = []
    cursor: str | None = None
    for step in range(12):
        found = await page(shop, REVIEWS, cursor, limit=1)
        seen += [item["review_id"] for item in found["items"]]
        cursor = found["next_cursor"]
        newer = review(f"new-{step}", time=at(30 + step))
        older = review(f"old-{step}", time=at(2 * step + 1))
        removal = {"review_id": f"r-{step}", "reason": None, "note": None}
        await store(shop, newer, older, event("review.removed", data=removal))
    while cursor is not None:
        found = await page(shop, REVIEWS, cursor, limit=5)
        seen += [item["review_id"] for item in found["items"]]
        cursor = found["next_cursor"]
    assert len(seen) == len(set(seen))
    assert [name for name in seen if name[:2] == "r-"] == [f"r-{n}" for n in range(11, -1, -1)]


async def test_ratings_of_one_instant_are_told_apart_by_their_ids(shop: Client) -> None:
    names = ["B", "a", "~", "0", "_", "A"]
    await store(shop, *(review(name) for name in names))
    seen, cursor = [], None
    for _ in names:
        found = await page(shop, REVIEWS, cursor, limit=1)
        seen += [item["review_id"] for item in found["items"]]
        cursor = found["next_cursor"]
    assert cursor is None
    assert seen == sorted(names)


async def test_later_pages_keep_the_day_and_the_filters_of_the_first(
    shop: Client, clock: Clock
) -> None:
    await store(shop, *(event("listing.published", data={"listing_id": f"l-{n}"}) for n in "123"))
    first = await page(shop, LISTINGS, limit=1, view="zero_payment")
    clock.now += timedelta(hours=5)
    withdrawn = event("listing.withdrawn", data={"listing_id": "l-2"}, time=at(59))
    await store(
        shop, event("listing.withdrawn", data={"listing_id": "l-3"}, time="2026-11-21T16:30:00Z")
    )
    rest = await page(shop, LISTINGS, first["next_cursor"])
    assert rest["as_of"] == first["as_of"] == "2026-11-21"
    assert [item["listing_id"] for item in rest["items"]] == ["l-2", "l-3"]
    assert (await page(shop, LISTINGS, view="zero_payment"))["as_of"] == "2026-11-22"
    await store(shop, withdrawn)
    rest = await page(shop, LISTINGS, first["next_cursor"], view="zero_payment", as_of="2026-11-21")
    assert [item["listing_id"] for item in rest["items"]] == ["l-3"]
    for name, value in (("view", "all"), ("as_of", "2026-11-22")):
        answer = await shop.get(LISTINGS, params={"cursor": first["next_cursor"], name: value})
        assert problem(answer, 400) == "bad_parameter"


async def test_a_cursor_of_ratings_holds_state_and_span(shop: Client) -> None:
    await store(shop, *(review(f"r-{n}", time=at(n)) for n in range(5)))
    query = {"state": "counted", "start": "2026-11-20", "end": "2026-11-21", "limit": "2"}
    cursor = (await page(shop, REVIEWS, **query))["next_cursor"]
    found = await page(shop, REVIEWS, cursor, limit=5)
    assert [item["review_id"] for item in found["items"]] == ["r-2", "r-1", "r-0"]
    for name, value in (("state", "late"), ("start", "2026-11-19"), ("end", "2026-11-20")):
        answer = await shop.get(REVIEWS, params={"cursor": cursor, name: value})
        assert problem(answer, 400) == "bad_parameter"


async def test_snapshots_are_listed_newest_first(shop: Client) -> None:
    days = ["2026-11-18", "2026-11-20", "2026-11-01", "2026-11-21"]
    for day in days:
        assert (await shop.post("/v1/peer-snapshots", json={"as_of": day})).status_code == 201
    seen, cursor = [], None
    for _ in days:
        found = await page(shop, "/v1/peer-snapshots", cursor, limit=1)
        seen += [item["as_of"] for item in found["items"]]
        cursor = found["next_cursor"]
    assert cursor is None
    assert seen == sorted(days, reverse=True)


async def test_a_forged_cursor_is_a_bad_parameter_or_a_page(shop: Client) -> None:
    await open_shop(shop, "t")
    await store(shop, review("a"), review("b"))
    await store(shop, *(event("listing.edited", data={"listing_id": name}) for name in "ab"))
    for day in ("2026-11-20", "2026-11-21"):
        await shop.post("/v1/peer-snapshots", json={"as_of": day})
    for path in (REVIEWS, LISTINGS, "/v1/peer-snapshots", "/v1/shops"):
        await forge(shop, path)


async def forge(shop: Client, path: str) -> None:
    cursor = (await page(shop, path, limit=1))["next_cursor"]
    place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    instants = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x")
    texts = ("\0", "\ud800", "a" * 65, "é", "", "9999-12-31", "0001-01-01")
    forged: list[object] = [None, 5, [], {}, {**place, "list": "x"}, {**place, "filters": 5}]
    forged += [{**place, "filters": {name: 5}} for name in ("limit", "cursor", "as_of", "x")]
    forged += [{**place, "filters": {"as_of": text}} for text in (*instants, *texts)]
    keys: list[object] = [None, 5, [], {}, [[]], [5], [None, None]]
    forged += [{**place, "after": key} for key in keys]
    forged += [{**place, "after": [text]} for text in (*instants, *texts)]
    forged += [{**place, "after": [instant, "a"]} for instant in instants]
    forged += [{**place, "after": ["2026-11-20T00:00:00Z", text]} for text in texts]
    for one in forged:
        told = urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")
        answer = await shop.get(path, params={"cursor": told})
        if answer.status_code != 200:
            assert parameters(answer), one
