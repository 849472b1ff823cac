"""Keys over HTTP: made, shown once, listed, revoked, ended by the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from litestar import Litestar

from tests.api.conftest import KeyHolder, with_key
from tests.api.samples import Client, event, open_shop, problem, refusals, send
from tests.conftest import Clock

SHOWN = {"id", "scopes", "shop_ids", "created_at", "expires_at", "revoked_at"}


async def test_a_new_key_works_and_its_secret_is_shown_once(app: Litestar, shop: Client) -> None:
    answer = await shop.post("/v1/keys", json={"scopes": ["scores:read"]})
    assert answer.status_code == 201
    made = answer.json()
    assert made.keys() == SHOWN | {"key"}
    assert made["key"].startswith(f"sdk_{made['id']}_")
    assert made["created_at"] == "2026-11-21T12:00:00Z"
    assert (made["shop_ids"], made["expires_at"], made["revoked_at"]) == (None, None, None)
    reader = with_key(app, shop, made["key"])
    assert (await reader.get("/v1/shops/s/scorecard")).status_code == 200
    assert problem(await reader.put("/v1/shops/s", json={}), 403) == "forbidden"
    listed = await shop.get("/v1/keys")
    secret = made["key"].split("_", 2)[2]
    assert secret not in listed.text
    [item] = [item for item in listed.json()["items"] if item["id"] == made["id"]]
    assert item == {name: made[name] for name in SHOWN}


async def test_a_key_reaches_the_shops_it_lists(app: Litestar, shop: Client) -> None:
    await open_shop(shop, "t")
    body = {"scopes": ["events:write", "scores:read"], "shop_ids": ["s", "not-yet", "s"]}
    made = (await shop.post("/v1/keys", json=body)).json()
    assert made["shop_ids"] == ["s", "not-yet"]
    narrow = with_key(app, shop, made["key"])
    assert (await send(narrow, event())).status_code == 200
    assert [code for *_, code in refusals(await send(narrow, event(subject="t")))] == [
        "unknown_shop"
    ]
    assert problem(await narrow.get("/v1/shops/t/scorecard"), 404) == "not_found"
    items = (await narrow.get("/v1/scorecards?shop_id=s&shop_id=t")).json()["items"]
    assert items[0].keys() == {"shop_id", "scorecard"}
    assert items[1]["problem"]["code"] == "not_found"


async def test_a_narrow_key_grants_no_more_than_it_has(
    app: Litestar, shop: Client, holder: KeyHolder
) -> None:
    narrow = await holder(shop_ids=["s", "t"])
    wide = (await shop.get("/v1/keys")).json()["items"]
    assert len(wide) == 2
    made = (await narrow.post("/v1/keys", json={"scopes": ["admin"]})).json()
    assert made["shop_ids"] == ["s", "t"]
    less = (await narrow.post("/v1/keys", json={"scopes": ["admin"], "shop_ids": ["t"]})).json()
    seen = {item["id"] for item in (await narrow.get("/v1/keys")).json()["items"]}
    assert seen >= {made["id"], less["id"]}
    assert len(seen) == 3
    outer = next(item["id"] for item in wide if item["shop_ids"] is None)
    assert problem(await narrow.delete(f"/v1/keys/{outer}"), 404) == "not_found"
    least = with_key(app, shop, less["key"])
    assert problem(await least.delete(f"/v1/keys/{made['id']}"), 404) == "not_found"
    assert [item["id"] for item in (await least.get("/v1/keys")).json()["items"]] == [less["id"]]


LATER = {"expires_at": "2026-11-21T13:00:00.000001Z"}


@pytest.mark.parametrize(
    ("grant", "pointer"),
    [
        ({"scopes": ["scores:read"]}, None),
        ({"scopes": ["admin", "events:write"]}, "/scopes/1"),
        ({"shop_ids": ["t"]}, None),
        ({"shop_ids": ["s", "u"]}, "/shop_ids/1"),
        ({"expires_at": "2026-11-21T21:00:00+08:00"}, None),
        ({"expires_at": "2026-11-21T12:30:00Z"}, None),
        (LATER, "/expires_at"),
        ({"scopes": ["events:write"], "shop_ids": ["u"], **LATER}, "/scopes/0"),
    ],
)
async def test_a_key_grants_nothing_that_its_maker_does_not_have(
    holder: KeyHolder, grant: dict[str, object], pointer: str | None
) -> None:
    end = datetime(2026, 11, 21, 13, tzinfo=UTC)
    maker = await holder(scopes=("admin", "scores:read"), shop_ids=["s", "t"], expires_at=end)
    answer = await maker.post("/v1/keys", json={"scopes": ["admin"], **grant})
    if pointer is None:
        assert answer.status_code == 201
    else:
        assert problem(answer, 403) == "forbidden"
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert len((await maker.get("/v1/keys")).json()["items"]) == 1


@pytest.mark.parametrize("unsaid", [{}, {"shop_ids": None, "expires_at": None}])
async def test_a_key_made_without_shops_and_end_has_those_of_its_maker(
    holder: KeyHolder, unsaid: dict[str, None]
) -> None:
    maker = await holder(shop_ids=["s"], expires_at=datetime(2026, 11, 21, 13, tzinfo=UTC))
    made = (await maker.post("/v1/keys", json={"scopes": ["admin"], **unsaid})).json()
    assert (made["shop_ids"], made["expires_at"]) == (["s"], "2026-11-21T13:00:00Z")


async def test_a_revoked_key_is_no_key(app: Litestar, client: Client, clock: Clock) -> None:
    made = (await client.post("/v1/keys", json={"scopes": ["admin", "scores:read"]})).json()
    other = with_key(app, client, made["key"])
    assert (await other.get("/v1/shops")).status_code == 200
    gone = await client.delete(f"/v1/keys/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    clock.now += timedelta(seconds=6)
    assert problem(await other.get("/v1/shops"), 401) == "unauthorized"
    assert (await client.delete(f"/v1/keys/{made['id']}")).status_code == 204
    items = {item["id"]: item for item in (await client.get("/v1/keys")).json()["items"]}
    assert items[made["id"]]["revoked_at"] == "2026-11-21T12:00:00Z"
    for key_id in ("nosuch", "a" * 65, "%00", "sdk_1_2"):
        assert problem(await client.delete(f"/v1/keys/{key_id}"), 404) == "not_found"


async def test_a_key_may_revoke_itself(app: Litestar, client: Client, clock: Clock) -> None:
    made = (await client.post("/v1/keys", json={"scopes": ["admin"]})).json()
    own = with_key(app, client, made["key"])
    assert (await own.delete(f"/v1/keys/{made['id']}")).status_code == 204
    clock.now += timedelta(seconds=6)
    assert problem(await own.get("/v1/keys"), 401) == "unauthorized"


async def test_a_key_ends_when_it_expires(app: Litestar, client: Client, clock: Clock) -> None:
    body = {"scopes": ["scores:read"], "expires_at": "2026-11-21T21:00:00+08:00"}
    made = (await client.post("/v1/keys", json=body)).json()
    assert made["expires_at"] == "2026-11-21T13:00:00Z"
    reader = with_key(app, client, made["key"])
    clock.now += timedelta(hours=1, microseconds=-1)
    assert (await reader.get("/v1/shops")).status_code == 200
    clock.now += timedelta(microseconds=1)
    assert problem(await reader.get("/v1/shops"), 401) == "unauthorized"


async def test_a_key_that_does_not_fit_is_refused(client: Client) -> None:
    bodies: list[object] = [
        {},
        {"scopes": []},
        {"scopes": ["root"]},
        {"scopes": "admin"},
        {"scopes": ["admin"], "shop_ids": []},
        {"scopes": ["admin"], "shop_ids": ["a b"]},
        {"scopes": ["admin"], "shop_ids": ["."]},
        {"scopes": ["admin"], "shop_ids": "s"},
        {"scopes": ["admin"], "expires_at": "2026-11-22T00:00:00"},
        {"scopes": ["admin"], "expires_at": "2026-11-21T12:00:00Z"},
        {"scopes": ["admin"], "expires_at": 5},
        {"scopes": ["admin"], "tenant": "other"},
        [],
    ]
    for body in bodies:
        assert problem(await client.post("/v1/keys", json=body), 422) == "invalid", body
    far = {"scopes": ["admin"], "expires_at": "9999-12-31T23:59:59-23:59"}
    assert (await client.post("/v1/keys", json=far)).status_code in {201, 422}
