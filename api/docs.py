"""The contract to read: as a file, as a page, and a page for each kind of problem."""

import json
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from api.context import Call
from api.operations import Answer, Operation, operation
from api.page import contract_body, page, prose
from api.problems import KINDS
from api.wire import JSON
from domain.errors import NotFound

HTML = "text/html"


@operation(
    "GET",
    "/openapi.json",
    Operation(
        name="getContract", summary="This contract", scope=None, answers={200: dict[str, Any]}
    ),
)
async def get_contract(request: Call) -> Answer:
    """The contract as an OpenAPI 3.1 document."""
    return Answer(200, contract_file(), JSON)


@operation(
    "GET",
    "/docs",
    Operation(
        name="getDocs",
        summary="This contract as a page",
        scope=None,
        answers={200: str},
        media_type=HTML,
    ),
)
async def get_docs(request: Call) -> Answer:
    """The contract as a page that loads nothing from anywhere."""
    return page("shopdsr", _contract_body())


@operation(
    "GET",
    "/problems/{code:str}",
    Operation(
        name="getProblem",
        summary="What a kind of problem means",
        scope=None,
        answers={200: str},
        problems=("not_found",),
        media_type=HTML,
    ),
)
async def get_problem(request: Call, code: str) -> Answer:
    """A page about the `type` of a problem."""
    kind = KINDS.get(code)
    if kind is None:
        raise NotFound("kind of problem", code)
    head = f"<h1>{escape(kind.title)}</h1>"
    return page(kind.title, head + prose(f"Status {kind.status}, code `{code}`.\n\n{kind.meaning}"))


@cache
def contract_file() -> bytes:
    """The committed contract."""
    return (resources.files("openapi") / "v1.json").read_bytes()


@cache
def _contract_body() -> str:
    return contract_body(json.loads(contract_file()))
