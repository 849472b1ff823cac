"""Shops: described one by one or as a list, and listed in pages."""

import json

from tests.api.conftest import KeyHolder
from tests.api.samples import (
    SHOP,
    Client,
    Json,
    event,
    open_shop,
    parameters,
    pointers,
    problem,
    refusals,
    review,
    send,
    store,
)

WHOLE: Json = {
    **SHOP,
    "time_zone": "America/Sao_Paulo",
    "kind": "flagship",
    "opened_on": "2019-05-01",
    "rules": "pinduoduo",
}
DEFAULTS: Json = {
    "time_zone": "Asia/Shanghai",
    "kind": "individual",
    "opened_on": None,
    "rules": "taobao",
}


def counts(body: Json) -> list[int]:
    names = ("received", "created", "changed", "unchanged", "rejected_count")
    return [body[name] for name in names]


async def test_a_shop_is_made_replaced_and_shown_whole(client: Client) -> None:
    made = await client.put("/v1/shops/a", json=SHOP)
    assert made.status_code == 201
    assert made.json() == {"shop_id": "a", **SHOP, **DEFAULTS}
    replaced = await client.put("/v1/shops/a", json=WHOLE)
    assert replaced.status_code == 200
    assert replaced.json() == {"shop_id": "a", **WHOLE}
    shown = await client.get("/v1/shops/a")
    assert shown.json() == replaced.json()
    back = await client.put("/v1/shops/a", json={**SHOP, "opened_on": None})
    assert back.status_code == 200
    assert (await client.get("/v1/shops/a")).json() == {"shop_id": "a", **SHOP, **DEFAULTS}


async def test_ids_of_every_allowed_shape_name_a_shop(client: Client) -> None:
    for shop_id in ("...", "~", "-", "_", ".a", "a..b", "Z" * 64, "0", "A.z_0~-"):
        assert (await client.put(f"/v1/shops/{shop_id}", json=SHOP)).status_code == 201
        assert (await client.get(f"/v1/shops/{shop_id}")).json()["shop_id"] == shop_id
        assert (await client.get(f"/v1/shops/{shop_id}/scorecard")).status_code == 200


async def test_a_shop_that_does_not_fit_is_told_where(client: Client) -> None:
    for changes, pointer in (
        ({"colour": "red"}, "/colour"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"shop_id": "a"}, "/shop_id"),
        ({"marketplace": ""}, "/marketplace"),
        ({"marketplace": "a b"}, "/marketplace"),
        ({"category": "c" * 65}, "/category"),
        ({"category": ".."}, "/category"),
        ({"kind": "shop"}, "/kind"),
        ({"opened_on": "2019-5-1"}, "/opened_on"),
        ({"opened_on": "2019-02-29"}, "/opened_on"),
        ({"opened_on": 20190501}, "/opened_on"),
        ({"rules": "no/rules"}, "/rules"),
        ({"rules": "nosuch"}, "/rules"),
        ({"marketplace": "nosuch"}, "/rules"),
        ({"currency": None}, "/currency"),
        ({"time_zone": None}, "/time_zone"),
    ):
        answer = await client.put("/v1/shops/a", json={**SHOP, **changes})
        assert pointers(answer) == [pointer], changes
    for changes in (
        {"currency": "cny"},
        {"currency": "XTS"},
        {"currency": "CN"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "+08:00"},
        {"time_zone": "../etc/passwd"},
    ):
        answer = await client.put("/v1/shops/a", json={**SHOP, **changes})
        assert problem(answer, 422) == "invalid", changes
    for missing in SHOP:
        body = {name: value for name, value in SHOP.items() if name != missing}
        assert pointers(await client.put("/v1/shops/a", json=body)) == [f"/{missing}"]
    assert problem(await client.put("/v1/shops/a", json=[SHOP]), 422) == "invalid"
    assert problem(await client.get("/v1/shops/a"), 404) == "not_found"


async def test_unknown_rules_are_told_as_such(client: Client) -> None:
    answer = await client.put("/v1/shops/a", json={**SHOP, "rules": "nosuch"})
    assert problem(answer, 422) == "unknown_rules"


async def test_a_bad_id_in_the_path_is_a_bad_parameter(client: Client) -> None:
    for shop_id in ("a%20b", "a:b", "a" * 65, "%C3%A9", "a%00", "a%0A"):
        answer = await client.put(f"/v1/shops/{shop_id}", json=SHOP)
        assert parameters(answer) == ["shop_id"], shop_id
        assert problem(await client.get(f"/v1/shops/{shop_id}"), 404) == "not_found"


async def test_currency_and_zone_stay_once_there_are_events(shop: Client) -> None:
    free = {**SHOP, "currency": "JPY", "time_zone": "Pacific/Apia"}
    assert (await shop.put("/v1/shops/s", json=free)).status_code == 200
    assert (await shop.put("/v1/shops/s", json=SHOP)).status_code == 200
    refused = await send(shop, event(time="1999-01-01T00:00:00Z"))
    assert refused.status_code == 422
    assert (await shop.put("/v1/shops/s", json=free)).status_code == 200
    assert (await shop.put("/v1/shops/s", json=SHOP)).status_code == 200
    await store(shop, event("stock.counted"))
    for changes, fields in (
        ({"currency": "JPY"}, ["/currency"]),
        ({"time_zone": "Asia/Tokyo"}, ["/time_zone"]),
        ({"currency": "JPY", "time_zone": "Asia/Tokyo"}, ["/currency", "/time_zone"]),
    ):
        answer = await shop.put("/v1/shops/s", json={**SHOP, **changes})
        assert problem(answer, 409) == "immutable"
        assert [error["pointer"] for error in answer.json()["errors"]] == fields
    assert (await shop.get("/v1/shops/s")).json() == {"shop_id": "s", **SHOP, **DEFAULTS}
    moved = {**WHOLE, "time_zone": "Asia/Shanghai"}
    assert (await shop.put("/v1/shops/s", json=moved)).status_code == 200


async def test_every_kind_of_event_makes_currency_and_zone_stay(client: Client) -> None:
    types = ("review.posted", "review.removed", "order.paid", "order.refunded", "listing.edited")
    for type_ in types:
        await open_shop(client, type_)
        await store(client, event(type_, subject=type_))
        answer = await client.put(f"/v1/shops/{type_}", json={**SHOP, "currency": "JPY"})
        assert problem(answer, 409) == "immutable"


async def test_other_rules_settle_the_ratings_anew_at_once(shop: Client) -> None:
    early = {"completed_at": "2026-10-01T00:00:00Z", "buyer_id": "b"}
    same_buyer = [
        {**review(f"r{n}", 5), "data": {**review(f"r{n}", 5)["data"], "buyer_id": "b"}}
        for n in range(4)
    ]
    late = review("late", 1)
    late["data"] |= early
    await store(shop, *same_buyer, late)
    dsr = (await shop.get("/v1/shops/s/dsr")).json()
    assert dsr["dsr"]["uncounted"] == {"late": 1, "capped": 1, "removed": 0}
    free = {
        **(await shop.get("/v1/rules/taobao")).json(),
        "ratings_per_buyer_month": None,
        "rating_deadline_days": None,
    }
    for name in ("name", "version", "built_in"):
        del free[name]
    assert (await shop.put("/v1/rules/free", json=free)).status_code == 201
    assert (await shop.put("/v1/shops/s", json={**SHOP, "rules": "free"})).status_code == 200
    result = (await shop.get("/v1/shops/s/dsr")).json()
    assert result["rules"] == {"name": "free", "version": 1}
    assert result["dsr"]["uncounted"] == {"late": 0, "capped": 0, "removed": 0}
    assert result["dsr"]["service"]["histogram"] == [1, 0, 0, 0, 4]
    assert (await shop.put("/v1/shops/s", json=SHOP)).status_code == 200
    assert (await shop.get("/v1/shops/s/dsr")).json() == dsr


async def test_a_list_of_shops_takes_each_by_itself(client: Client) -> None:
    await open_shop(client, "old")
    await open_shop(client, "same")
    await open_shop(client, "fixed")
    await store(client, event(subject="fixed"))
    shops: list[object] = [
        {"shop_id": "new", **SHOP},
        {"shop_id": "old", **WHOLE},
        {"shop_id": "same", **SHOP},
        5,
        {"shop_id": "bad", **SHOP, "kind": 5},
        {"shop_id": "ruled", **SHOP, "rules": "nosuch"},
        {"shop_id": "fixed", **SHOP, "currency": "JPY"},
        {"shop_id": "new", **WHOLE},
        {**SHOP},
        {"shop_id": 5, **SHOP},
        {"shop_id": "a/b", **SHOP},
        {"shop_id": "more", **SHOP, "colour": "red"},
        {"shop_id": "x", **SHOP, "currency": "XTS"},
        {"shop_id": "s\n", **SHOP},
    ]
    answer = await client.post("/v1/shops", json=shops)
    assert answer.status_code == 207
    body = answer.json()
    assert counts(body) == [14, 1, 1, 1, 11]
    assert [(entry["index"], entry["shop_id"], entry["code"]) for entry in body["rejected"]] == [
        (3, None, "malformed"),
        (4, "bad", "invalid"),
        (5, "ruled", "unknown_rules"),
        (6, "fixed", "immutable"),
        (7, "new", "invalid"),
        (8, None, "invalid"),
        (9, None, "invalid"),
        (10, "a/b", "invalid"),
        (11, "more", "invalid"),
        (12, "x", "invalid"),
        (13, "s\n", "invalid"),
    ]
    places = [[error["pointer"] for error in entry["errors"]] for entry in body["rejected"]]
    assert places[1:9] == [
        ["/kind"],
        ["/rules"],
        ["/currency"],
        ["/shop_id"],
        ["/shop_id"],
        ["/shop_id"],
        ["/shop_id"],
        ["/colour"],
    ]
    assert (await client.get("/v1/shops/old")).json() == {"shop_id": "old", **WHOLE}
    assert (await client.get("/v1/shops/new")).json() == {"shop_id": "new", **SHOP, **DEFAULTS}


async def test_a_list_of_shops_answers_200_or_207_or_422(client: Client) -> None:
    nothing = await client.post("/v1/shops", json=[])
    assert nothing.status_code == 200
    assert counts(nothing.json()) == [0, 0, 0, 0, 0]
    answer = await client.post("/v1/shops", json=[{"shop_id": "a", **SHOP}])
    assert answer.status_code == 200
    assert answer.json()["rejected"] == []
    answer = await client.post("/v1/shops", json=[{"shop_id": "a", **SHOP}])
    assert counts(answer.json()) == [1, 0, 0, 1, 0]
    answer = await client.post("/v1/shops", json=[[], {}])
    assert problem(answer, 422) == "all_refused"
    assert counts(answer.json()) == [2, 0, 0, 0, 2]


async def test_a_list_holds_a_thousand_shops_and_no_more(client: Client) -> None:
    shops = [{"shop_id": f"s-{n}", **SHOP} for n in range(1_001)]
    assert problem(await client.post("/v1/shops", json=shops), 413) == "content_too_large"
    assert counts((await client.post("/v1/shops", json=shops[1:])).json())[1] == 1_000


async def test_shops_are_json(client: Client) -> None:
    for method, path in (("PUT", "/v1/shops/a"), ("POST", "/v1/shops")):
        answer = await client.request(method, path, content=b"{}")
        assert problem(answer, 415) == "unsupported_media_type"
        for content in (b"", b"{", b'{"marketplace": 5', b'{"kind": "\xff"}', b"[", b"[}"):
            headers = {"content-type": "application/json"}
            answer = await client.request(method, path, content=content, headers=headers)
            assert problem(answer, 400) == "bad_request", content
    too_large = json.dumps({**SHOP, "opened_on": " " * 524_288})
    headers = {"content-type": "application/json"}
    answer = await client.put("/v1/shops/a", content=too_large, headers=headers)
    assert problem(answer, 413) == "content_too_large"


async def names(client: Client, **query: str | int) -> list[str]:
    """Return the ids on all pages."""
    result: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        if cursor:
            query["cursor"] = cursor
        answer = await client.get("/v1/shops", params=query)
        assert answer.status_code == 200, answer.text
        result += [item["shop_id"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        assert cursor is None or cursor.replace("-", "").replace("_", "").isalnum()
    return result


async def test_shops_are_listed_by_id_in_pages(client: Client) -> None:
    shops = [
        {"shop_id": f"s-{n:03}", **SHOP, "category": "toys" if n % 3 else "baby"}
        for n in range(120)
    ]
    assert (await client.post("/v1/shops", json=shops)).status_code == 200
    everything = [shop["shop_id"] for shop in shops]
    baby = [shop["shop_id"] for shop in shops if shop["category"] == "baby"]
    assert await names(client) == everything
    assert await names(client, limit=7) == everything
    assert await names(client, limit=40, category="baby") == baby
    assert await names(client, limit=3, category="baby", marketplace="taobao") == baby
    assert await names(client, marketplace="nosuch") == []
    first = (await client.get("/v1/shops")).json()
    assert len(first["items"]) == 50
    assert first["items"][0] == (await client.get("/v1/shops/s-000")).json()
    assert len((await client.get("/v1/shops", params={"limit": 500})).json()["items"]) == 120


async def test_a_page_holds_its_place_while_shops_are_added(client: Client) -> None:
    for shop_id in ("b", "d", "f", "h"):
        await open_shop(client, shop_id)
    first = (await client.get("/v1/shops?limit=2")).json()
    for shop_id in ("a", "c", "e", "g", "i"):
        await open_shop(client, shop_id)
    rest = (await client.get("/v1/shops", params={"cursor": first["next_cursor"]})).json()
    seen = [item["shop_id"] for item in (*first["items"], *rest["items"])]
    assert seen == ["b", "d", "e", "f", "g", "h", "i"]


async def test_a_cursor_holds_the_filters_of_its_first_page(client: Client) -> None:
    for shop_id in ("a", "b", "c"):
        await open_shop(client, shop_id)
        await open_shop(client, f"{shop_id}-toys", category="toys")
    query: dict[str, str | int] = {"limit": 1, "category": "toys"}
    cursor = (await client.get("/v1/shops", params=query)).json()["next_cursor"]
    same: list[dict[str, str | int]] = [{}, {"category": "toys"}, {"limit": 2}]
    for given in same:
        page = (await client.get("/v1/shops", params={"cursor": cursor, **given})).json()
        assert page["items"][0]["shop_id"] == "b-toys"
    for other in ({"category": "baby"}, {"marketplace": "taobao"}):
        answer = await client.get("/v1/shops", params={"cursor": cursor, **other})
        assert problem(answer, 400) == "bad_parameter"
    unfiltered = (await client.get("/v1/shops?limit=1")).json()["next_cursor"]
    answer = await client.get("/v1/shops", params={"cursor": unfiltered, "category": "toys"})
    assert problem(answer, 400) == "bad_parameter"


async def test_what_is_no_cursor_is_told(client: Client) -> None:
    await open_shop(client, "a")
    await open_shop(client, "b")
    good = (await client.get("/v1/shops?limit=1")).json()["next_cursor"]
    foreign = "eyJsaXN0IjoiS2V5cyIsImZpbHRlcnMiOnt9LCJhZnRlciI6WyJhIl19"
    for cursor in ("", "x", "AAAA", "a b", "é", good[:-2], good[1:], good + "=", "W10", foreign):
        answer = await client.get("/v1/shops", params={"cursor": cursor})
        assert parameters(answer) == ["cursor"], cursor


async def test_limits_are_one_to_five_hundred(client: Client) -> None:
    for limit in ("0", "501", "-1", "1.5", "ten", "", "+5", " 5", "5 ", "1e1", "0x5", "9" * 30):
        answer = await client.get("/v1/shops", params={"limit": limit})
        assert parameters(answer) == ["limit"], limit


async def test_a_narrow_key_sees_its_shops_only(client: Client, holder: KeyHolder) -> None:
    for shop_id in ("a", "b", "c"):
        await open_shop(client, shop_id)
    narrow = await holder(shop_ids=["a", "c", "later"])
    assert await names(narrow, limit=1) == ["a", "c"]
    assert problem(await narrow.get("/v1/shops/b"), 404) == "not_found"
    assert problem(await narrow.put("/v1/shops/b", json=SHOP), 404) == "not_found"
    assert problem(await narrow.put("/v1/shops/b", json={"x": 1}), 404) == "not_found"
    assert (await narrow.put("/v1/shops/later", json=SHOP)).status_code == 201
    answer = await narrow.post("/v1/shops", json=[{"shop_id": n, **SHOP} for n in "ab"])
    assert counts(answer.json()) == [2, 0, 0, 1, 1]
    stranger = await holder(tenant="other")
    assert await names(stranger) == []
    assert problem(await stranger.get("/v1/shops/a"), 404) == "not_found"
    assert (await stranger.put("/v1/shops/a", json=WHOLE)).status_code == 201
    assert (await client.get("/v1/shops/a")).json() == {"shop_id": "a", **SHOP, **DEFAULTS}


async def test_a_new_shop_takes_events_at_once(client: Client) -> None:
    assert [code for *_, code in refusals(await send(client, event()))] == ["unknown_shop"]
    assert problem(await client.get("/v1/shops/s/scorecard"), 404) == "not_found"
    await open_shop(client)
    await store(client, event())
    assert (await client.get("/v1/shops/s/scorecard")).status_code == 200
