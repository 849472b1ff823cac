"""Problem documents everywhere, in the order of the contract, under the caller's request id."""

import json

from tests.api.samples import BATCH, NDJSON, SHOP, Client, Json, event, problem, store


async def built_in_rules(client: Client) -> Json:
    """Return a built-in set of rules as it would be sent."""
    rules = (await client.get("/v1/rules/taobao")).json()
    return {name: rules[name] for name in rules.keys() - {"name", "version", "built_in"}}


async def test_every_answer_has_a_request_id(shop: Client) -> None:
    for method, path, status in (
        ("GET", "/livez", 200),
        ("GET", "/v1/shops/s/scorecard", 200),
        ("GET", "/nothing", 404),
        ("PUT", "/livez", 405),
        ("POST", "/v1/events", 415),
        ("DELETE", "/v1/ladders/a/b", 404),
        ("HEAD", "/v1/shops/s", 200),
    ):
        answer = await shop.request(method, path)
        assert answer.status_code == status
        assert len(answer.headers.get_list("x-request-id")) == 1
        assert answer.headers["x-request-id"]
        given = "caller-42_é".encode("ascii", "replace").decode()
        answer = await shop.request(method, path, headers={"x-request-id": given})
        assert answer.headers.get_list("x-request-id") == [given]
        if status >= 400:
            assert answer.json()["request_id"] == given
    tag = (await shop.get("/v1/shops/s/dsr")).headers["etag"]
    headers = {"if-none-match": tag, "x-request-id": "again"}
    assert (await shop.get("/v1/shops/s/dsr", headers=headers)).headers["x-request-id"] == "again"
    ids = {(await shop.get("/livez")).headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20


async def test_a_request_id_that_is_not_sane_is_replaced(client: Client) -> None:
    for given in ("", "a b", "x" * 1_000, "tab\there", "é"):
        headers = [(b"x-request-id", given.encode())]
        answer = await client.get("/nothing", headers=headers)
        assert answer.json()["request_id"] not in {given, ""}
        assert problem(answer, 404)


async def test_the_earlier_trouble_is_told(shop: Client) -> None:
    """Meet 405, 415, 413, 400, 404 and 422 in this order."""
    await store(shop, event())
    big = b"[" + b" " * (8 * 1024 * 1024)
    headers = {"content-type": "text/plain"}
    answer = await shop.put("/v1/events?x=1", content=big, headers=headers)
    assert problem(answer, 405)
    answer = await shop.post("/v1/events?x=1", content=big, headers=headers)
    assert problem(answer, 415)
    for media_type in (BATCH, "application/json"):
        headers = {"content-type": media_type}
        answer = await shop.post("/v1/events?x=1", content=big, headers=headers)
        assert problem(answer, 413)
    headers = {"content-type": NDJSON, "content-encoding": "br"}
    assert problem(await shop.post("/v1/events?x=1", content=b"{}", headers=headers), 415)
    headers = {"content-type": "application/json"}
    large = json.dumps({**SHOP, "x": " " * 524_288})
    assert problem(await shop.put("/v1/shops/a?x=1", content=large, headers=headers), 413)
    assert problem(await shop.put("/v1/shops/s?x=1", json={"currency": "JPY"}), 400)
    answer = await shop.put("/v1/shops/s", content=b'{"kind": 5, ', headers=headers)
    assert problem(answer, 400)
    answer = await shop.put("/v1/rules/taobao", content=b"{", headers=headers)
    assert problem(answer, 400)
    assert problem(await shop.put("/v1/rules/taobao", json={}), 422) == "invalid"
    rules = await built_in_rules(shop)
    assert problem(await shop.put("/v1/rules/taobao", json=rules), 409) == "built_in"
    assert problem(await shop.put("/v1/shops/s", json={**SHOP, "currency": "XTS"}), 422)
    assert problem(await shop.get("/v1/shops/nosuch/scorecard?as_of=x"), 400)
    assert problem(await shop.get("/v1/shops/nosuch/dsr?rules=..&as_of=2026-11-20"), 400)
