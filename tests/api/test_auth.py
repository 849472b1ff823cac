"""Who may do what: 401 before 403 before anything that is read of the request."""

import pytest

from domain.keys import SCOPES, Scope
from tests.api.conftest import KeyHolder
from tests.api.samples import Client, event, open_shop, problem

NEEDS: dict[tuple[str, str], Scope] = {
    ("POST", "/v1/events"): "events:write",
    ("PUT", "/v1/shops/s"): "shops:write",
    ("POST", "/v1/shops"): "shops:write",
    ("DELETE", "/v1/shops/nosuch"): "admin",
    ("GET", "/v1/audit"): "admin",
    ("GET", "/v1/shops/s"): "scores:read",
    ("GET", "/v1/shops"): "scores:read",
    ("GET", "/v1/rules"): "scores:read",
    ("GET", "/v1/rules/taobao"): "scores:read",
    ("PUT", "/v1/rules/own"): "admin",
    ("PUT", "/v1/ladders/a/b"): "admin",
    ("GET", "/v1/ladders/a/b"): "scores:read",
    ("DELETE", "/v1/ladders/a/b"): "admin",
    ("POST", "/v1/peer-snapshots"): "admin",
    ("GET", "/v1/peer-snapshots"): "scores:read",
    ("GET", "/v1/scorecards?shop_id=s"): "scores:read",
    ("GET", "/v1/shops/s/scorecard"): "scores:read",
    ("GET", "/v1/shops/s/dsr"): "scores:read",
    ("GET", "/v1/shops/s/dsr/change?start=2026-11-01&end=2026-11-02"): "scores:read",
    ("GET", "/v1/shops/s/dsr/forecast"): "scores:read",
    (
        "GET",
        "/v1/shops/s/dsr/plan?dimension=service&target=4&by=2026-11-30&stars=5",
    ): "scores:read",
    ("GET", "/v1/shops/s/tier"): "scores:read",
    ("GET", "/v1/shops/s/sell-through"): "scores:read",
    ("GET", "/v1/shops/s/listings"): "scores:read",
    ("GET", "/v1/shops/s/reviews"): "scores:read",
    ("GET", "/v1/shops/s/trend?start=2026-11-01&end=2026-11-02"): "scores:read",
    ("POST", "/v1/keys"): "admin",
    ("GET", "/v1/keys"): "admin",
    ("DELETE", "/v1/keys/nosuch"): "admin",
}


async def test_every_operation_needs_a_key_with_its_scope(shop: Client, holder: KeyHolder) -> None:
    holders = {scope: await holder(scopes=(scope,)) for scope in SCOPES}
    authorization = shop.headers.pop("authorization")
    for (method, path), needed in NEEDS.items():
        answer = await shop.request(method, path)
        assert problem(answer, 401) == "unauthorized", path
        assert answer.headers["www-authenticate"].startswith("Bearer")
        for scope, client in holders.items():
            answer = await client.request(method, path)
            if scope == needed or (scope, needed) == ("admin", "shops:write"):
                assert answer.status_code not in {401, 403}, (method, path)
            else:
                assert problem(answer, 403) == "forbidden", (method, path, scope)
    shop.headers["authorization"] = authorization


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


async def test_head_is_get_without_the_body(shop: Client, holder: KeyHolder) -> None:
    await open_shop(shop, "t")
    await shop.post("/v1/events", json=event())
    gets = [path for method, path in NEEDS if method == "GET" and "ladders" not in path]
    gets += ["/livez", "/readyz", "/openapi.json", "/docs", "/problems/invalid"]
    for path in gets:
        got, head = await shop.get(path), await shop.head(path)
        assert (head.status_code, head.content) == (200, b""), path
        for name in ("content-type", "content-length", "etag", "cache-control"):
            assert head.headers.get(name) == got.headers.get(name), (path, name)
    stranger = await holder(tenant="other", scopes=("events:write",))
    for path, status in (("/v1/shops/s", 403), ("/v1/nothing", 404)):
        answer = await stranger.head(path)
        assert (answer.status_code, answer.content) == (status, b"")
    for path in ("/v1/events", "/v1/keys/nosuch"):
        assert (await shop.head(path)).status_code == 405
