"""The check that every response goes through finds what the contract does not say."""

from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.contract.validation import Undocumented, check, check_async

ALIVE = {"content-type": "application/json", "x-request-id": "a"}


def response(
    status: int = 200,
    *,
    method: str = "GET",
    path: str = "/livez",
    headers: dict[str, str] = ALIVE,
    json: Any = None,
) -> httpx.Response:
    """Return a made-up response, by default with the body of `/livez`."""
    request = httpx.Request(method, f"http://testserver.local{path}")
    body = httpx.Response(200, json={"status": "ok"} if json is None else json).content
    content = b"" if method == "HEAD" else body
    return httpx.Response(status, request=request, headers=headers, content=content)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_response_as_the_contract_has_it_passes(method: str) -> None:
    check(response(method=method))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (response(201), "only 200, 500"),
        (response(path="/livezz"), "not in the contract"),
        (response(method="PUT"), "not in the contract"),
        (response(json={}), "status"),
        (response(json={"status": 1}), "string"),
        (response(headers={"x-request-id": "a", "content-type": "text/html"}), "text/html"),
        (response(headers={"content-type": "application/json"}), "no header X-Request-Id"),
        (response(path="/v1/shops/a"), "no header ETag"),
        (response(405, method="PUT"), "no Allow"),
        (response(404, path="/nowhere", json={"code": "not_found"}), "application/json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_response_that_the_contract_does_not_have_fails(
    wrong: httpx.Response, message: str
) -> None:
    with pytest.raises(Undocumented, match=message):
        check(wrong)


async def test_every_client_of_a_test_goes_through_it(
    client: AsyncTestClient[Litestar],
) -> None:
    assert client.event_hooks["response"] == [check_async]
