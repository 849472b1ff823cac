"""Hostile values in every place that the contract has: no 5xx, and nothing else is harmed."""

import json
from collections.abc import Iterator

import pytest

from tests.api.samples import DATA, event
from tests.attacks import values
from tests.attacks.operations import PARAMETERS, Operation, body_values, operations, replaced
from tests.harness.client import NDJSON
from tests.harness.raw_socket import RawResponse, RawSocket, raw_headers
from tests.harness.server import Server

EVERY = 8
LINES_AT_ONCE = 1_000

ALL = pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.name)


@pytest.fixture
def connection(server: Server) -> Iterator[RawSocket]:
    with server.raw_socket() as opened:
        yield opened


def test_there_are_at_least_150_values() -> None:
    assert len(all_values()) >= 150


def all_values() -> set[str | bytes]:
    """Return every value, of whatever place."""
    groups = (values.IN_JSON.values(), values.BOMBS.values(), values.QUOTED, values.IN_HEADERS)
    return {value for group in groups for value in group}


def test_every_parameter_of_the_contract_has_a_good_value() -> None:
    named = {
        name for operation in operations() for name in (*operation.in_path, *operation.in_query)
    }
    assert named == PARAMETERS.keys()


@ALL
def test_no_path_parameter_makes_a_5xx(
    operation: Operation, connection: RawSocket, key: str
) -> None:
    for name in operation.in_path:
        for value in values.QUOTED:
            _must_hold(
                _ask(connection, operation, key, operation.target(path={name: value})), value
            )


def test_no_path_makes_a_5xx(connection: RawSocket, key: str) -> None:
    for value in values.QUOTED:
        for path in (
            f"/{value}",
            f"/v1/{value}",
            f"/v1/shops/s/{value}",
            f"/problems/{value}",
            f"/docs/assets/{value}",
        ):
            _must_hold(connection.request("GET", path, raw_headers(key)), path)


@ALL
def test_no_query_parameter_makes_a_5xx(
    operation: Operation, connection: RawSocket, key: str
) -> None:
    for name in operation.in_query:
        for value in values.QUOTED:
            _must_hold(
                _ask(connection, operation, key, operation.target(query={name: value})), value
            )
    target = operation.target()
    for tail in ("&", "&&&=", "=", "&%=%", "&" * 5_000, "&a" * 2_000, "&%FF=1", "#x", "?a=b"):
        query = tail if "?" in target else f"?{tail}"
        _must_hold(_ask(connection, operation, key, target + query), tail)


@ALL
def test_no_header_makes_a_5xx(operation: Operation, connection: RawSocket, key: str) -> None:
    # Every pair of a header and a value is sent to some operations, its own headers to each.
    turn = operations().index(operation)
    pairs = [
        (name, value)
        for row, name in enumerate(values.HEADERS)
        for column, value in enumerate(values.IN_HEADERS)
        if name.decode() in operation.in_header or (row + column + turn) % EVERY == 0
    ]
    for own in pairs:
        _must_hold(_ask(connection, operation, key, operation.target(), own), own)


@ALL
def test_no_value_in_a_body_makes_a_5xx(
    operation: Operation, connection: RawSocket, key: str
) -> None:
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
            answer = _ask(connection, operation, key, operation.target(), body=raw, of=media_type)
            _must_hold(answer, name)


@pytest.mark.parametrize("kind", DATA)
def test_no_value_in_an_event_of_any_type_makes_a_5xx(
    connection: RawSocket, key: str, kind: str
) -> None:
    good = event(kind)
    lines = [
        replaced(body, place, value)
        for body in (good, dict(reversed(good.items())), {**good, "extra": None})
        for place in body_values(body)
        for value in values.IN_JSON.values()
    ]
    headers = raw_headers(key, NDJSON)
    for start in range(0, len(lines), LINES_AT_ONCE):
        raw = b"\n".join(lines[start : start + LINES_AT_ONCE])
        _must_hold(connection.request("POST", "/v1/events", headers, raw), kind)


@ALL
def test_no_body_is_needed_to_answer(operation: Operation, connection: RawSocket, key: str) -> None:
    bodies: tuple[bytes | None, ...] = (None, b"", b" ", b"\n", b"\x00", b"\xef\xbb\xbf{}", b"{}x")
    for media_type in (*operation.bodies, "", "text/plain", "application/json; charset=latin-1"):
        for raw in bodies:
            own = (b"Content-Type", media_type.encode())
            _must_hold(_ask(connection, operation, key, operation.target(), own, body=raw), raw)


@pytest.mark.parametrize(
    "method",
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "PRI"],
)
def test_no_method_makes_a_5xx(method: str, connection: RawSocket, key: str) -> None:
    for operation in operations():
        answer = connection.request(method, operation.target(), raw_headers(key))
        _must_hold(answer, (method, operation.path))


def _ask(
    connection: RawSocket,
    operation: Operation,
    key: str,
    target: str,
    own: tuple[bytes, bytes] | None = None,
    *,
    body: bytes | None = None,
    of: str | None = None,
) -> RawResponse:
    media_type = of or next(iter(operation.bodies), "application/json")
    headers = {
        b"Authorization": b"Bearer " + key.encode(),
        b"Content-Type": media_type.encode(),
    }
    if own:
        headers |= dict([own])
    if body is None and own is None and operation.bodies:
        body = operation.bodies[media_type]
    return connection.request(operation.method, target, headers.items(), body)


def _must_hold(answer: RawResponse, what: object) -> None:
    """Check that a response is whole, no 5xx, and shows nothing of the inside."""
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
