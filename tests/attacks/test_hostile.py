"""Hostile values in every place that the contract has: no 5xx, and nothing else is harmed."""

import json
from collections.abc import Iterator

import pytest

from tests.attacks import values
from tests.attacks.operations import PARAMETERS, Operation, body_values, operations, replaced
from tests.attacks.server import Server
from tests.attacks.wire import Answer, Wire

NDJSON = "application/x-ndjson"
EVERY = 8

ALL = pytest.mark.parametrize("operation", operations(), ids=lambda one: one.name)


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with Wire(server.port) as opened:
        yield opened


def test_there_are_at_least_150_values() -> None:
    assert len(all_values()) >= 150


def all_values() -> set[str | bytes]:
    """Every value, of whatever place."""
    groups = (values.IN_JSON.values(), values.BOMBS.values(), values.QUOTED, values.IN_HEADERS)
    return {value for group in groups for value in group}


def test_every_parameter_of_the_contract_has_a_good_value() -> None:
    named = {name for one in operations() for name in (*one.in_path, *one.in_query)}
    assert named == PARAMETERS.keys()


@ALL
def test_no_path_parameter_makes_a_5xx(operation: Operation, wire: Wire, key: str) -> None:
    for name in operation.in_path:
        for value in values.QUOTED:
            _must_hold(_ask(wire, operation, key, operation.target(path={name: value})), value)


@ALL
def test_no_query_parameter_makes_a_5xx(operation: Operation, wire: Wire, key: str) -> None:
    for name in operation.in_query:
        for value in values.QUOTED:
            _must_hold(_ask(wire, operation, key, operation.target(query={name: value})), value)
    target = operation.target()
    for tail in ("&", "&&&=", "=", "&%=%", "&" * 5_000, "&a" * 2_000, "&%FF=1", "#x", "?a=b"):
        query = tail if "?" in target else f"?{tail}"
        _must_hold(_ask(wire, operation, key, target + query), tail)


@ALL
def test_no_header_makes_a_5xx(operation: Operation, wire: Wire, key: str) -> None:
    # Every pair of a header and a value is sent to some operations, its own headers to each.
    turn = operations().index(operation)
    pairs = [
        (name, value)
        for row, name in enumerate(values.HEADERS)
        for column, value in enumerate(values.IN_HEADERS)
        if name.decode() in operation.in_header or (row + column + turn) % EVERY == 0
    ]
    for own in pairs:
        _must_hold(_ask(wire, operation, key, operation.target(), own), own)


@ALL
def test_no_value_in_a_body_makes_a_5xx(operation: Operation, wire: Wire, key: str) -> None:
    # Where there are several media types, each value is sent to each place in one of them.
    for turn, (media_type, good) in enumerate(operation.bodies.items()):
        body = json.loads(good)
        spoilt = [
            (name, replaced(body, place, value))
            for row, place in enumerate(body_values(body))
            for column, (name, value) in enumerate(values.IN_JSON.items())
            if (row + column + turn) % len(operation.bodies) == 0
        ]
        if media_type == NDJSON:
            spoilt = [("all of them", b"\n".join(line for _, line in spoilt))]
        for name, raw in spoilt:
            answer = _ask(wire, operation, key, operation.target(), body=raw, of=media_type)
            _must_hold(answer, name)


@ALL
def test_no_body_is_needed_to_answer(operation: Operation, wire: Wire, key: str) -> None:
    bodies: tuple[bytes | None, ...] = (None, b"", b" ", b"\n", b"\x00", b"\xef\xbb\xbf{}", b"{}x")
    for media_type in (*operation.bodies, "", "text/plain", "application/json; charset=latin-1"):
        for raw in bodies:
            own = (b"Content-Type", media_type.encode())
            _must_hold(_ask(wire, operation, key, operation.target(), own, body=raw), raw)


@pytest.mark.parametrize(
    "method",
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "PRI"],
)
def test_no_method_makes_a_5xx(method: str, wire: Wire, key: str) -> None:
    for operation in operations():
        headers = [(b"Authorization", b"Bearer " + key.encode())]
        answer = wire.ask(method, operation.target(), headers)
        _must_hold(answer, (method, operation.path))


def _ask(
    wire: Wire,
    operation: Operation,
    key: str,
    target: str,
    own: tuple[bytes, bytes] | None = None,
    *,
    body: bytes | None = None,
    of: str | None = None,
) -> Answer:
    media_type = of or next(iter(operation.bodies), "application/json")
    headers = {
        b"Authorization": b"Bearer " + key.encode(),
        b"Content-Type": media_type.encode(),
    }
    if own:
        headers |= dict([own])
    if body is None and own is None and operation.bodies:
        body = operation.bodies[media_type]
    return wire.ask(operation.method, target, headers.items(), body)


def _must_hold(answer: Answer, what: object) -> None:
    """An answer, whole and no 5xx, in which nothing of ours or of the database's shows."""
    assert 200 <= answer.status < 500, (answer.status, what, answer.body[:500])
    assert answer.header(b"x-injected") == b"", what
    if answer.status >= 400 and answer.header(b"content-type"):
        assert answer.header(b"content-type") == b"application/problem+json", (what, answer)
        if not answer.body:
            return  # the answer to a HEAD
        problem = json.loads(answer.body)
        assert problem["status"] == answer.status
        for word in ("Traceback", "asyncpg", "msgspec", "postgres", ".py", "select "):
            assert word not in problem["detail"], what
