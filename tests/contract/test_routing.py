"""Paths and methods: what is served, what is refused, and how."""

import re

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.api.samples import SHOP
from tests.contract.examples import Operation, operations

Client = AsyncTestClient[Litestar]

METHODS: dict[str, set[str]] = {}
for _operation in operations().values():
    _also = {"GET", "HEAD"} if _operation.method == "GET" else {_operation.method}
    METHODS[_operation.path] = METHODS.get(_operation.path, {"OPTIONS"}) | _also


def filled(path: str) -> str:
    """Return a path with something in the place of each parameter."""
    return re.sub(r"\{\w+\}", "x", path.replace("{code}", "invalid"))


async def test_a_method_that_a_path_does_not_take_is_a_problem_that_lists_those_it_does(
    anonymous: Client,
) -> None:
    for path, taken in METHODS.items():
        for method in {"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "BREW"} - taken:
            answer = await anonymous.request(method, filled(path))
            assert answer.status_code == 405
            assert answer.headers["Allow"] == ", ".join(sorted(taken))
            assert answer.json()["code"] == "method_not_allowed"
            assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


async def test_options_lists_the_methods_of_a_path_and_needs_no_key(anonymous: Client) -> None:
    for path, taken in METHODS.items():
        answer = await anonymous.options(filled(path))
        assert answer.status_code == 204
        assert answer.headers["Allow"] == ", ".join(sorted(taken))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
async def test_an_unknown_path_is_a_problem_whatever_the_method(
    method: str, client: Client
) -> None:
    for path in (
        *("/", "/v1", "/v1/", "/v2/shops", "/V1/shops", "/nowhere", "/v1/shops/a/b"),
        *("/v1/shops/a/b/c/d", "/v1/shops/a%2Fb/tier", "/v1/ladders/a", "/problems", "/docs/x"),
        *("/favicon.ico", "/.env", "/%00"),
    ):
        answer = await client.request(method, path, headers={"X-Request-Id": "from-here"})
        assert answer.status_code == 404
        assert answer.headers["X-Request-Id"] == "from-here"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"])
async def test_empty_segments_and_encoded_slashes_are_no_part_of_a_path(
    method: str, client: Client
) -> None:
    for path in METHODS:
        plain = filled(path)
        for other in (
            f"{plain}/",
            f"{plain}//",
            f"/{plain}",
            plain.replace("/", "//"),
            f"{plain}%2F",
            f"/%2F{plain[1:]}",
            f"/{plain[1:].replace('/', '%2F')}%2f",
        ):
            answer = await client.request(method, f"http://x{other}")
            assert answer.status_code == 404, other


async def test_an_encoded_slash_in_a_parameter_acts_as_none(client: Client) -> None:
    await client.put("/v1/shops/a", json=SHOP)
    assert (await client.get("/v1/shops/a/dsr")).status_code == 200
    for path in ("/v1/shops/a%2Fdsr", "/v1/shops/a%2fdsr", "/v1%2Fshops/a", "/v1/shops%2Fa/dsr"):
        assert (await client.get(path)).status_code == 404, path


async def test_an_encoded_plain_character_is_that_character(client: Client) -> None:
    await client.put("/v1/shops/a-b", json=SHOP)
    for path in ("/v1/shops/%61-b", "/v1/shops/a%2Db", "/%76%31/shops/a-b", "/v1/%73hops/a%2db"):
        assert (await client.get(path)).json()["shop_id"] == "a-b", path
    assert (await client.get("/%6Detrics")).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_a_name_that_is_not_listed_is_no_path(method: str, anonymous: Client) -> None:
    assert (await anonymous.request(method, "/problems/invalid")).status_code in {200, 204}
    for unknown in ("/docs/assets/x", "/problems/x"):
        assert (await anonymous.request(method, unknown)).status_code == 404


async def test_head_is_get_without_the_body(client: Client) -> None:
    await client.put("/v1/shops/x", json=SHOP)
    for path, taken in METHODS.items():
        if "HEAD" in taken and path != "/metrics":
            target = filled(path)
            given = await client.get(target, headers={"X-Request-Id": "same"})
            head = await client.head(target, headers={"X-Request-Id": "same"})
            assert head.status_code == given.status_code
            assert head.headers == given.headers
            assert head.content == b""
        if "HEAD" not in taken:
            assert (await client.head(filled(path))).status_code == 405


async def test_what_can_be_no_host_is_a_problem(anonymous: Client) -> None:
    for host in (b"", b"a b", b"a/b", b"<a>", b"a\xe9"):
        answer = await anonymous.post("/v1/events", headers=[(b"Host", host)])
        assert answer.status_code == 400
        assert answer.json()["code"] == "bad_request"
    for host in (b"a.example:80", b"[::1]:80", b"user@a"):
        answer = await anonymous.get("/livez", headers=[(b"Host", host)])
        assert answer.status_code == 200


@pytest.mark.parametrize("operation", operations().values(), ids=lambda item: item.path)
async def test_an_operation_under_v1_needs_a_key_and_refuses_unknown_parameters(
    client: Client, operation: Operation
) -> None:
    is_under_v1 = operation.path.startswith("/v1/")
    assert is_under_v1 == bool(operation.description["security"])
    assert is_under_v1 == ("x-scope" in operation.description)
    if is_under_v1:
        path = f"{filled(operation.path)}?colour=red"
        headers = {"Content-Type": "application/json"}
        answer = await client.request(operation.method, path, headers=headers)
        assert answer.status_code == 400
        assert [error["parameter"] for error in answer.json()["errors"]] == ["colour"]
    else:
        answer = await client.get(f"{filled(operation.path)}?colour=red")
        assert answer.status_code == 200
