"""The examples of the contract: stories of requests with their answers, under openapi/examples."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import UNSET, UnsetType

from api.contract import Served, Shown, served
from api.wire import list_parameters
from shopdsr.app import HANDLERS

FOLDER = Path(__file__).parents[2] / "openapi" / "examples"


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent; a body of text goes as it is, any other as JSON. A null header is left out."""

    path: str
    headers: dict[str, str | None] = {}
    body: Any = UNSET

    @property
    def media_type(self) -> str | None:
        """The media type of the body; None without one."""
        if self.body is UNSET:
            return None
        return self.headers.get("Content-Type", "application/json")


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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
    answer: Answer


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests in order, on an empty database, by a key for everything, at one instant."""

    summary: str
    now: datetime
    steps: list[Step]


@cache
def stories() -> Mapping[str, Story]:
    """Every story, by the name of its file."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Story)
        for path in sorted(FOLDER.glob("*.json"))
    }


def steps() -> list[Step]:
    """The steps of all stories."""
    return [step for story in stories().values() for step in story.steps]


def shown() -> list[Shown]:
    """The steps as the contract shows them."""
    return [_shown(step) for step in steps()]


def operation(name: str) -> Served:
    """An operation by its name."""
    return next(one for one in served(HANDLERS) if one.spec.name == name)


def _shown(step: Step) -> Shown:
    """The step; its body only where it fits the schema: not refused, nor the data of an event."""
    request, answer = step.request, step.answer
    fits = answer.status < 207 and "ce-type" not in request.headers
    return Shown(
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
    """Parameters as the contract types them."""
    one = operation(step.operation)
    path, _, query = step.request.path.partition("?")
    matched = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", one.path), path)
    assert matched is not None, f"{step.name}: {path} is not {one.path}"
    for name, text in matched.groupdict().items():
        yield name, unquote(text)
    if query and one.spec.query is not None:
        lists = list_parameters(one.spec.query)
        given: dict[str, Any] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            given[name] = [*given.get(name, []), value] if name in lists else value
        typed = msgspec.to_builtins(msgspec.convert(given, one.spec.query, strict=False))
        yield from ((name, typed[name]) for name in given)
    for name in one.spec.headers:
        header = step.request.headers.get(name)
        if header is not None:
            yield name, header
