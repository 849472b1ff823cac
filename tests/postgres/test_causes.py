"""What is said of a database that cannot serve."""

import socket
import ssl

import asyncpg
import pytest

from domain.errors import Unavailable
from infra.postgres.causes import cause_of

MESSAGE = "secret-word"

ERRORS = [
    error
    for error in vars(asyncpg.exceptions).values()
    if isinstance(error, type) and issubclass(error, Exception)
] + [OSError, ConnectionResetError, TimeoutError, socket.gaierror, ssl.SSLError, ValueError]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_no_cause_quotes_the_message_of_the_driver(error: type[Exception]) -> None:
    cause = cause_of(error(MESSAGE))
    assert cause.startswith(("it ", "its ", "all ", "there ", "nothing ", "the ", "a", "TLS "))
    assert MESSAGE not in cause


def test_the_cause_of_an_outage_is_that_of_its_last_error() -> None:
    outage = Unavailable("TooManyConnectionsError")
    outage.__cause__ = asyncpg.TooManyConnectionsError(MESSAGE)
    assert cause_of(outage) == "all its connections are in use"


def test_an_error_without_a_cause_of_its_own_is_told_by_its_class_and_code() -> None:
    assert cause_of(asyncpg.DivisionByZeroError(MESSAGE)) == (
        "it reports an error of the class DivisionByZeroError, SQLSTATE 22012"
    )
