"""The examples of the contract, carried out."""

import json
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.conftest import Clock
from tests.contract.examples import ExpectedResponse, Request, Step, operations, steps, stories

Client = AsyncTestClient[Litestar]


@pytest.mark.parametrize("name", stories())
async def test_a_story_goes_as_it_is_told(name: str, client: Client, clock: Clock) -> None:
    await carry_out(name, client, clock)


def test_no_two_steps_have_one_name() -> None:
    names = [step.name for step in steps()]
    assert sorted(names) == sorted(set(names))


async def carry_out(name: str, client: Client, clock: Clock) -> None:
    """Send the requests of a story, and compare the responses."""
    story = stories()[name]
    clock.now = story.now
    for step in story.steps:
        response = await client.send(_built(client, step))
        assert response.status_code == step.answer.status, f"{step.name}: {response.text}"
        given = json.loads(response.content) if response.content else None
        assert _comparable(given, step.answer) == _comparable(
            _expected(step.answer), step.answer
        ), f"{step.name}: {response.text}"
        for header, value in step.answer.headers.items():
            assert response.headers[header] == value, f"{step.name}: {header}"


def _built(client: Client, step: Step) -> Any:
    request = step.request
    built = client.build_request(
        operations()[step.operation].method,
        request.path,
        content=_content(request),
        headers={name: value for name, value in _headers(request).items() if value is not None},
    )
    for name, value in request.headers.items():
        if value is None:
            del built.headers[name]
    return built


def _headers(request: Request) -> dict[str, str | None]:
    media_type = request.media_type
    return ({"Content-Type": media_type} if media_type else {}) | request.headers


def _content(request: Request) -> bytes | None:
    if request.media_type is None:
        return None
    body = request.body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _expected(answer: ExpectedResponse) -> Any:
    return answer.body if isinstance(answer.body, dict) else None


def _comparable(body: Any, answer: ExpectedResponse) -> Any:
    """Return the body with what varies replaced by its type."""
    result = json.loads(json.dumps(body))
    for pointer in answer.varies:
        *parents, last = pointer.removeprefix("/").split("/")
        holder = result
        for step in parents:
            holder = holder[int(step) if isinstance(holder, list) else step]
        holder[last] = type(holder[last]).__name__
    return result
