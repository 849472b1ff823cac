"""Who may do what: 401 before 403 before anything that is read of the request."""

import pytest

from domain.keys import SCOPES
from tests.api.conftest import KeyHolder
from tests.api.samples import Client, problem
from tests.attacks.operations import operations


async def test_every_operation_needs_a_key_with_its_scope(shop: Client, holder: KeyHolder) -> None:
    holders = {scope: await holder(scopes=(scope,)) for scope in SCOPES}
    del shop.headers["authorization"]
    with_scope = [operation for operation in operations() if operation.scope]
    assert {operation.scope for operation in with_scope} == {*SCOPES} - {"buyers:read"}
    for operation in with_scope:
        method, path = operation.method, operation.target({"shop_id": "nosuch"})
        answer = await shop.request(method, path)
        assert problem(answer, 401) == "unauthorized", path
        assert answer.headers["www-authenticate"].startswith("Bearer")
        for scope, client in holders.items():
            answer = await client.request(method, path)
            if scope == operation.scope or (scope, operation.scope) == ("admin", "shops:write"):
                assert answer.status_code not in {401, 403}, (method, path)
            else:
                assert problem(answer, 403) == "forbidden", (method, path, scope)
                head = await client.head(path) if method == "GET" else None
                assert head is None or (head.status_code, head.content) == (403, b"")


TENANT_WIDE = (
    ("PUT", "/v1/rules/own"),
    ("PUT", "/v1/ladders/a/b"),
    ("DELETE", "/v1/ladders/a/b"),
    ("POST", "/v1/peer-snapshots"),
    ("GET", "/v1/audit"),
)


async def test_what_is_the_whole_tenants_needs_a_key_of_all_shops(
    shop: Client, holder: KeyHolder
) -> None:
    narrow = await holder(shop_ids=["s"])
    for method, path in TENANT_WIDE:
        assert problem(await narrow.request(method, path), 403) == "forbidden", path
        assert (await shop.request(method, path)).status_code != 403, path


async def test_what_is_open_needs_no_key(anonymous: Client) -> None:
    for path in ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/problems/not_found"):
        for authorization in ({}, {"authorization": "Bearer nonsense"}):
            assert (await anonymous.get(path, headers=authorization)).status_code == 200, path
    assert (await anonymous.get("/problems/nosuch")).status_code == 404


async def test_what_is_no_valid_key_is_401(client: Client) -> None:
    good = client.headers["authorization"]
    scheme, key = good.split()
    prefix, key_id, secret = key.split("_", 2)
    for authorization in (
        "",
        "Bearer",
        "Bearer ",
        f"Basic {key}",
        key,
        f"Bearer {key}x",
        f"Bearer {key[:-1]}",
        f"Bearer x{key}",
        f"Bearer {prefix}_{key_id}_",
        f"Bearer {prefix}_{key_id}",
        f"Bearer {prefix}__{secret}",
        f"Bearer {prefix}_{key_id}x_{secret}",
        f"Bearer {prefix}_{'a' * 65}_{secret}",
        f"Bearer {prefix}_{key_id}_{'x' * 10_000}",
        f"{good} {good}",
        f"{good}, {good}",
    ):
        client.headers["authorization"] = authorization
        answer = await client.get("/v1/shops")
        assert problem(answer, 401) == "unauthorized", authorization
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert secret not in answer.text
    for authorization in (good, f"bearer {key}", f"BEARER {key}"):
        client.headers["authorization"] = authorization
        assert (await client.get("/v1/shops")).status_code == 200
    raw = [(b"authorization", b"Bearer sdk_a_\xff\xfe")]
    assert problem(await client.get("/v1/shops", headers=raw), 401) == "unauthorized"
    assert scheme == "Bearer"


async def test_a_secret_may_hold_underscores(holder: KeyHolder) -> None:
    for _ in range(20):
        client = await holder()
        if "_" in client.headers["authorization"].split("_", 2)[2]:
            assert (await client.get("/v1/shops")).status_code == 200
            return
    pytest.fail("no secret of twenty has an underscore")


async def test_route_method_key_scope_come_before_the_body(shop: Client, holder: KeyHolder) -> None:
    reader = await holder(scopes=("scores:read",))
    writer = await holder(scopes=("events:write",))
    stranger = await holder(tenant="other")
    key = shop.headers.pop("authorization")
    assert problem(await shop.get("/v1/nothing"), 404) == "not_found"
    answer = await shop.patch("/v1/events")
    assert problem(answer, 405) == "method_not_allowed"
    assert "POST" in answer.headers["allow"]
    assert problem(await shop.post("/v1/events", content=b"{"), 401) == "unauthorized"
    shop.headers["authorization"] = key
    assert problem(await reader.post("/v1/events?x=1", content=b"{"), 403) == "forbidden"
    assert problem(await writer.post("/v1/events?x=1", content=b"{"), 415)
    assert problem(await writer.get("/v1/shops/nosuch?x=1"), 403) == "forbidden"
    assert problem(await stranger.get("/v1/shops/s?x=1"), 400) == "bad_parameter"
    assert problem(await stranger.get("/v1/shops/s"), 404) == "not_found"
