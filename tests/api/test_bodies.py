"""Bodies as a server hands them over: in one piece, in many, or cut short."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api import bodies
from api.memory_budget import MemoryBudget
from api.ports import Limits
from api.problems import Problem

BUDGET = 1000
GONE = {"type": "http.disconnect"}


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def sending(*messages: dict[str, Any]) -> Callable[[], Awaitable[Any]]:
    """Return a sender of these, who is silent after them."""
    left = iter(messages)

    async def receive() -> Any:
        message = next(left, None)
        if message is None:
            await asyncio.Event().wait()
        return message

    return receive


async def read(
    *messages: dict[str, Any], length: str = "", is_gzip: bool = False, bytes_max: int = 100
) -> bytes:
    """Read a body of these messages, and check that the budget is released."""
    budget = MemoryBudget(BUDGET)
    reader = bodies.BodyReader(
        sending(*messages), Limits(body_timeout_ms=100), is_gzip=is_gzip, content_length=length
    )
    try:
        with budget.reservation() as reservation:
            return bytes(await bodies.read(reader, reservation, bytes_max))
    finally:
        assert budget.free == BUDGET


async def refused(*messages: dict[str, Any], **how: Any) -> tuple[str, str]:
    with pytest.raises(Problem) as text:
        await read(*messages, **how)
    return text.value.code, text.value.detail


async def test_a_body_ends_with_its_announced_length_whether_or_not_the_server_says_so() -> None:
    assert await read(part(b"abcd"), length="4") == b"abcd"
    assert await read(part(b"ab"), part(b"cd"), length="4") == b"abcd"
    code, why = await refused(part(b"abc"), length="4")
    assert (code, why) == ("bad_request", "The body did not arrive in time")


async def test_a_body_of_no_announced_length_ends_when_the_server_says_so() -> None:
    assert await read(part(b"abcd", more=False)) == b"abcd"
    parts = [part(b""), part(b"ab"), part(b""), part(b"cd"), part(b"", more=False)]
    assert await read(*parts) == b"abcd"
    assert (await refused(part(b"abcd")))[1] == "The body did not arrive in time"


async def test_a_compressed_body_may_come_in_any_pieces() -> None:
    packed = gzip.compress(b"abcd") + gzip.compress(b"efgh")
    for size in (1, 7, len(packed)):
        pieces = [part(packed[n : n + size]) for n in range(0, len(packed), size)]
        whole = await read(part(b""), *pieces, part(b"", more=False), is_gzip=True)
        assert whole == b"abcdefgh"
    cut = await refused(part(packed[:-1]), part(b"", more=False), is_gzip=True)
    assert cut[1] == "The gzip body is cut short"


async def test_a_limit_holds_to_the_byte_in_one_piece_and_in_many() -> None:
    whole = b"x" * 100
    for pieces in ([part(whole, more=False)], [part(whole), part(b"", more=False)]):
        assert await read(*pieces) == whole
        assert (await refused(*pieces, bytes_max=99))[0] == "content_too_large"


async def test_an_absent_body_and_one_that_was_cut_short_are_told_apart() -> None:
    assert (await refused(part(b"", more=False)))[1] == "The body is empty"
    assert (await refused(GONE))[1] == "The body was cut short"
    assert (await refused(part(b"ab"), GONE))[1] == "The body was cut short"


async def test_bodies_over_the_budget_are_refused() -> None:
    many = [part(b"x" * 60) for _ in range(20)]
    assert (await refused(*many, bytes_max=10_000))[0] == "unavailable"
