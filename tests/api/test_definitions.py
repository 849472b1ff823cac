"""Definitions of a tenant: listed in pages, and no more of them than a tenant may have."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from litestar import Litestar

from api.keys import KEYS_ON_PAGE_MAX, SHOPS_OF_KEY_MAX
from api.ports import Limits
from domain.rules import BUILT_IN
from tests.api.conftest import KeyHolder, with_key
from tests.api.samples import SHOP, Client, parameters, problem
from tests.conftest import Clock
from tests.postgres.conftest import fetch

RULES: dict[str, Any] = msgspec.to_builtins(BUILT_IN["taobao"].rules)
LADDER = {"currency": "CNY", "amounts": ["1", "2", "3", "4", "5", "6"]}
FEW = 3


@pytest.fixture
def limits() -> Limits:
    return Limits(definitions_max=FEW, shops_max=FEW)


async def pages(client: Client, path: str, limit: int) -> list[list[Any]]:
    """Return the items of a list, page by page."""
    listed: list[list[Any]] = []
    query = f"?limit={limit}"
    while True:
        page = (await client.get(f"{path}{query}")).json()
        listed.append(page["items"])
        if page["next_cursor"] is None:
            return listed
        query = f"?limit={limit}&cursor={page['next_cursor']}"


async def make_key(client: Client, **grant: object) -> Any:
    """Make a key; return the answer's body."""
    answer = await client.post("/v1/keys", json={"scopes": ["admin"], **grant})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_keys_come_in_pages_newest_first(client: Client, clock: Clock) -> None:
    made = []
    for seconds in (0, 1):
        clock.now += timedelta(seconds=seconds)
        made.append((await make_key(client))["id"])
    listed = await pages(client, "/v1/keys", 1)
    assert [len(items) for items in listed] == [1, 1, 1]
    ids = [item["id"] for [item] in listed]
    assert ids[0] == made[1]
    assert made[0] in ids[1:]
    assert ids == [item["id"] for items in await pages(client, "/v1/keys", 2) for item in items]


@pytest.mark.parametrize("limits", [Limits()])
async def test_a_page_of_keys_is_never_long(client: Client) -> None:
    shops = [f"{number:060}" for number in range(SHOPS_OF_KEY_MAX)]
    for _ in range(KEYS_ON_PAGE_MAX + 1):
        await make_key(client, shop_ids=shops)
    answer = await client.get("/v1/keys?limit=500")
    assert len(answer.json()["items"]) == KEYS_ON_PAGE_MAX
    assert len(answer.content) < 4_000_000
    listed = await pages(client, "/v1/keys", 500)
    assert [len(items) for items in listed] == [KEYS_ON_PAGE_MAX, 2]


@pytest.mark.usefixtures("client")
async def test_pages_of_a_confined_key_hold_keys_within_its_shops(holder: KeyHolder) -> None:
    narrow = await holder(shop_ids=["s", "t"])
    inner = (await make_key(narrow, shop_ids=["s"]))["id"]
    listed = await pages(narrow, "/v1/keys", 1)
    assert len(listed) == 2
    assert inner in [item["id"] for [item] in listed]


async def test_rules_come_in_pages_by_name_in_their_newest_version(client: Client) -> None:
    for name in ("zoo", "a", "mine"):
        assert (await client.put(f"/v1/rules/{name}", json=RULES)).status_code == 201
    changed = {**RULES, "rating_window_days": 90}
    assert (await client.put("/v1/rules/mine", json=changed)).json()["version"] == 2
    names = sorted([*BUILT_IN, "zoo", "a", "mine"])
    for limit in (1, 2, 500):
        items = [item for items in await pages(client, "/v1/rules", limit) for item in items]
        assert [item["name"] for item in items] == names
        assert {item["name"]: item["version"] for item in items}["mine"] == 2


async def test_a_cursor_serves_the_list_that_gave_it(client: Client) -> None:
    await make_key(client)
    for path, other in (("/v1/keys", "/v1/rules"), ("/v1/rules", "/v1/keys")):
        cursor = (await client.get(f"{path}?limit=1")).json()["next_cursor"]
        assert parameters(await client.get(f"{other}?cursor={cursor}")) == ["cursor"]
        assert parameters(await client.get(f"{path}?cursor=x")) == ["cursor"]


async def test_a_tenant_has_no_more_keys_than_it_may(
    app: Litestar, client: Client, holder: KeyHolder, clock: Clock
) -> None:
    first, second = await make_key(client), await make_key(client)
    answer = await client.post("/v1/keys", json={"scopes": ["admin"]})
    assert problem(answer, 409) == "too_many"
    assert len((await client.get("/v1/keys")).json()["items"]) == FEW
    assert (await (await holder(tenant="other")).get("/v1/keys")).status_code == 200
    # A key that has ended gives its place to a new one, the earliest first.
    await client.delete(f"/v1/keys/{second['id']}")
    clock.now += timedelta(seconds=1)
    await client.delete(f"/v1/keys/{first['id']}")
    third = await make_key(client)
    ids = {item["id"] for item in (await client.get("/v1/keys")).json()["items"]}
    assert first["id"] in ids
    assert second["id"] not in ids
    assert (await with_key(app, client, third["key"]).get("/v1/keys")).status_code == 200
    fourth = await make_key(client)
    answer = await client.post("/v1/keys", json={"scopes": ["admin"]})
    assert problem(answer, 409) == "too_many"
    assert (await client.delete(f"/v1/keys/{fourth['id']}")).status_code == 204


async def test_a_tenant_has_no_more_ladders_than_it_may(client: Client) -> None:
    for number in range(FEW):
        assert (await client.put(f"/v1/ladders/m/{number}", json=LADDER)).status_code == 201
    assert problem(await client.put("/v1/ladders/m/more", json=LADDER), 409) == "too_many"
    assert problem(await client.get("/v1/ladders/m/more"), 404) == "not_found"
    changed = {**LADDER, "currency": "JPY"}
    assert (await client.put("/v1/ladders/m/0", json=changed)).status_code == 200
    assert (await client.delete("/v1/ladders/m/0")).status_code == 204
    assert (await client.put("/v1/ladders/m/more", json=LADDER)).status_code == 201


async def test_a_tenant_has_no_more_sets_of_rules_than_it_may(client: Client) -> None:
    for number in range(FEW):
        assert (await client.put(f"/v1/rules/own-{number}", json=RULES)).status_code == 201
    assert problem(await client.put("/v1/rules/more", json=RULES), 409) == "too_many"
    assert problem(await client.get("/v1/rules/more"), 404) == "not_found"
    changed = {**RULES, "rating_window_days": 90}
    assert (await client.put("/v1/rules/own-0", json=changed)).json()["version"] == 2


async def test_a_tenant_has_no_more_shops_than_it_may(client: Client) -> None:
    for number in range(FEW - 1):
        assert (await client.put(f"/v1/shops/{number}", json=SHOP)).status_code == 201
    two = [{**SHOP, "shop_id": name} for name in ("a", "b")]
    assert problem(await client.post("/v1/shops", json=two), 409) == "too_many"
    assert (await client.post("/v1/shops", json=two[:1])).json()["created"] == 1
    assert problem(await client.put("/v1/shops/more", json=SHOP), 409) == "too_many"
    assert problem(await client.get("/v1/shops/more"), 404) == "not_found"
    changed = {**SHOP, "kind": "flagship"}
    assert (await client.put("/v1/shops/a", json=changed)).status_code == 200
    assert (await client.delete("/v1/shops/a")).status_code == 204
    assert (await client.put("/v1/shops/more", json=SHOP)).status_code == 201


async def test_a_set_of_rules_has_no_more_versions_than_it_may(
    client: Client, database_url: str
) -> None:
    for number in range(1, 8):
        changed = {**RULES, "rating_window_days": number}
        assert (await client.put("/v1/rules/own", json=changed)).json()["version"] == number
    versions = "select version from rule_versions order by version"
    rows = await fetch(database_url, versions)
    assert [row["version"] for row in rows] == [1, 5, 6, 7]
