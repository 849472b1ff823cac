"""Bodies as a server hands them over: in one piece, in many, or cut short."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from api import bodies
from api.context import Call, Limits
from api.memory_budget import MemoryBudget
from api.patience import Patience
from api.problems import Problem

Headers = list[tuple[bytes, bytes]]
GONE = {"type": "http.disconnect"}


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def sending(*messages: dict[str, Any]) -> Callable[[], Awaitable[Any]]:
    """A sender of these, who is silent after them."""
    left = iter(messages)

    async def receive() -> Any:
        message = next(left, None)
        if message is None:
            await asyncio.Event().wait()
        return message

    return receive


def call(*messages: dict[str, Any], headers: Headers | None = None, room: int = 1000) -> Call:
    context: Any = SimpleNamespace(
        limits=Limits(body_timeout_ms=100), room=MemoryBudget(room), patience=Patience()
    )
    scope = {"headers": headers or [], "query_string": b""}
    return Call(scope, sending(*messages), context)


async def refused(one: Call, bytes_max: int = 100) -> tuple[str, str]:
    with pytest.raises(Problem) as told:
        await bodies.read(one, bytes_max)
    assert one.context.room.free == 1000
    return told.value.code, told.value.detail


async def test_a_body_ends_with_its_announced_length_whether_or_not_the_server_says_so() -> None:
    length: Headers = [(b"content-length", b"4")]
    assert await bodies.read(call(part(b"abcd"), headers=length), 100) == b"abcd"
    assert await bodies.read(call(part(b"ab"), part(b"cd"), headers=length), 100) == b"abcd"
    code, why = await refused(call(part(b"abc"), headers=length))
    assert (code, why) == ("bad_request", "The body did not arrive in time")


async def test_a_body_of_no_announced_length_ends_when_the_server_says_so() -> None:
    assert await bodies.read(call(part(b"abcd", more=False)), 100) == b"abcd"
    parts = [part(b""), part(b"ab"), part(b""), part(b"cd"), part(b"", more=False)]
    assert await bodies.read(call(*parts), 100) == b"abcd"
    assert (await refused(call(part(b"abcd"))))[1] == "The body did not arrive in time"


async def test_a_compressed_body_may_come_in_any_pieces() -> None:
    headers: Headers = [(b"content-encoding", b"gzip")]
    packed = gzip.compress(b"abcd") + gzip.compress(b"efgh")
    for size in (1, 7, len(packed)):
        pieces = [part(packed[n : n + size]) for n in range(0, len(packed), size)]
        one = call(part(b""), *pieces, part(b"", more=False), headers=headers)
        assert await bodies.read(one, 100) == b"abcdefgh"
    one = call(part(packed[:-1]), part(b"", more=False), headers=headers)
    assert (await refused(one))[1] == "The gzip body is cut short"


async def test_a_limit_holds_to_the_byte_in_one_piece_and_in_many() -> None:
    whole = b"x" * 100
    for pieces in ([part(whole, more=False)], [part(whole), part(b"", more=False)]):
        assert await bodies.read(call(*pieces), 100) == whole
        assert (await refused(call(*pieces), 99))[0] == "content_too_large"


async def test_an_absent_body_and_one_that_was_cut_short_are_told_apart() -> None:
    assert (await refused(call(part(b"", more=False))))[1] == "The body is empty"
    assert (await refused(call(GONE)))[1] == "The body was cut short"
    assert (await refused(call(part(b"ab"), GONE)))[1] == "The body was cut short"


async def test_what_is_held_while_more_is_to_come_finds_room_or_is_refused() -> None:
    many = [part(b"x" * 60) for _ in range(20)]
    assert (await refused(call(*many), 10_000))[0] == "unavailable"
