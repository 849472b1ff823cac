"""The examples of the contract: stories of requests with their answers, under openapi/examples."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
from msgspec import UNSET, UnsetType

from api.contract import Example, contract

FOLDER = Path(__file__).parents[2] / "openapi" / "examples"


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent; a body of text goes as it is, any other as JSON. A null header is left out."""

    path: str
    headers: dict[str, str | None] = {}
    body: Any = UNSET

    @property
    def media_type(self) -> str | None:
        """Return the media type of the body, or None without a body."""
        if self.body is UNSET:
            return None
        return self.headers.get("Content-Type", "application/json")


class ExpectedResponse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must come back; values at the JSON pointers in `varies` need only be of one type."""

    status: int
    headers: dict[str, str] = {}
    body: Any | UnsetType = UNSET
    varies: list[str] = []


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request of a story; `name` is its name in the contract."""

    name: str
    summary: str
    operation: str
    request: Request
    answer: ExpectedResponse


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests in order, on an empty database, by a key for everything, at one instant."""

    summary: str
    now: datetime
    steps: list[Step]


@cache
def stories() -> Mapping[str, Story]:
    """Return every story by the name of its file."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Story)
        for path in sorted(FOLDER.glob("*.json"))
    }


def steps() -> list[Step]:
    """Return the steps of all stories."""
    return [step for story in stories().values() for step in story.steps]


def examples() -> list[Example]:
    """Return the steps as the contract shows them."""
    return [_example(step) for step in steps()]


class Operation(msgspec.Struct, frozen=True):
    """An operation of the contract, and where it is served."""

    method: str
    path: str
    description: dict[str, Any]


@cache
def operations() -> Mapping[str, Operation]:
    """Return every operation by its name, as the code says it."""
    return {
        description["operationId"]: Operation(method.upper(), path, description)
        for path, item in contract()["paths"].items()
        for method, description in item.items()
    }


def _example(step: Step) -> Example:
    """Return the step, its body where it fits the schema."""
    request, answer = step.request, step.answer
    fits = answer.status < 207 and "ce-type" not in request.headers
    return Example(
        name=step.name,
        summary=step.summary,
        operation=step.operation,
        status=answer.status,
        answer=None if answer.body is UNSET else answer.body,
        media_type=request.media_type if fits else None,
        body=None if request.body is UNSET else request.body,
        parameters=dict(_parameters(step)) if answer.status < 400 else {},
    )


def _parameters(step: Step) -> Iterator[tuple[str, Any]]:
    """Yield parameters as the contract types them."""
    operation = operations()[step.operation]
    path, _, query = step.request.path.partition("?")
    matched = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path), path)
    assert matched is not None, f"{step.name}: {path} is not {operation.path}"
    for name, text in matched.groupdict().items():
        yield name, unquote(text)
    wanted = parse_qs(query, keep_blank_values=True)
    for parameter in operation.description.get("parameters", ()):
        name, of = parameter["name"], parameter["schema"]["type"]
        if parameter["in"] == "query" and name in wanted:
            values = [int(text) if of == "integer" else text for text in wanted[name]]
            yield name, values if of == "array" else values[0]
        if parameter["in"] == "header" and step.request.headers.get(name) is not None:
            yield name, step.request.headers[name]
