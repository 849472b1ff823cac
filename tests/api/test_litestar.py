"""What the service takes for granted of Litestar beyond its reference: a new version may differ."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import pytest
from litestar import Litestar, Request, Response, get, post, route
from litestar.exceptions import ValidationException
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.testing import AsyncTestClient

Client = AsyncTestClient[Litestar]


class Strict(Request[Any, Any, Any]):
    """A request that reads and decodes by itself."""

    async def body(self) -> bytes:
        return b"not JSON"

    async def json(self) -> Any:
        return Body(5)


class Body(msgspec.Struct):
    """A body."""

    value: int


@post("/typed")
async def typed(data: JSONBody[Body]) -> Body:
    return data


@get("/named/{place:str}")
async def named(
    request: Strict,
    place: Annotated[str, PathParameter(pattern="^[a-z]+$")],
    inner: Annotated[int, QueryParameter(name="outer", ge=1)] = 1,
    day: Annotated[int | None, QueryParameter()] = None,
) -> dict[str, Any]:
    return {
        "template": request.scope["path_template"],
        "handler": request.route_handler.fn.__name__,
        "arguments": [place, inner, day],
    }


@route("/both", http_method=["GET", "HEAD"], status_code=200)
async def both() -> str:
    return "both"


def tell(_request: Any, error: Exception) -> Response[Any]:
    extra = error.extra if isinstance(error, ValidationException) else str(error)
    return Response({"extra": extra}, status_code=400)


async def head_off(request: Request[Any, Any, Any]) -> Response[None] | None:
    return Response(None, status_code=204) if request.method == "OPTIONS" else None


@pytest.fixture
async def made_up() -> AsyncIterator[Client]:
    app = Litestar(
        [typed, named, both],
        before_request=head_off,
        exception_handlers={Exception: tell},
        logging_config=None,
        openapi_config=None,
        request_class=Strict,
    )
    async with AsyncTestClient(app) as client:
        yield client


async def test_data_is_what_body_and_json_of_the_request_class_say(made_up: Client) -> None:
    assert (await made_up.post("/typed", content=b"{")).json() == {"value": 5}


async def test_errors_name_the_argument_and_not_its_parameter(made_up: Client) -> None:
    answer = await made_up.get("/named/X?outer=0")
    keys = [error["key"] for error in answer.json()["extra"]]
    assert keys == ["place", "inner"]


async def test_the_scope_has_the_template_of_the_path(made_up: Client) -> None:
    answer = (await made_up.get("/named/x")).json()
    assert answer["template"] == "/named/{place}"
    assert (answer["handler"], answer["arguments"]) == ("named", ["x", 1, None])


async def test_null_and_fractions_pass_for_integers(made_up: Client) -> None:
    for value in ("null", "Null", "5.0", "1e1"):
        assert (await made_up.get(f"/named/x?day={value}")).status_code == 200, value


async def test_what_before_request_returns_is_the_answer(made_up: Client) -> None:
    assert (await made_up.options("/both")).status_code == 204
    assert (await made_up.get("/both")).text == "both"
    assert (await made_up.head("/both")).headers["content-length"] == "4"
