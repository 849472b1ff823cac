"""Why a database cannot serve, in words of our own.

Messages of the driver and of the server may quote values, addresses and passwords, so an error is
recognized by its class, and its message is never shown.
"""

import socket
import ssl
from typing import Final

import asyncpg

from domain.errors import Unavailable
from infra.postgres.database import UnexpectedPooler

_CAUSES: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...]] = (
    (asyncpg.TooManyConnectionsError, "all its connections are in use"),
    (asyncpg.CannotConnectNowError, "it is starting or stopping"),
    ((asyncpg.AdminShutdownError, asyncpg.CrashShutdownError), "it is stopping"),
    (asyncpg.InvalidCatalogNameError, "there is no database of this name"),
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "it does not accept this user and password",
    ),
    (asyncpg.InsufficientPrivilegeError, "its user lacks a privilege that is needed"),
    (
        UnexpectedPooler,
        "a pooler of connections is between, which needs SHOPDSR_STATEMENT_CACHE=false",
    ),
    (asyncpg.DiskFullError, "its disk is full"),
    (asyncpg.OutOfMemoryError, "its memory is used up"),
    (asyncpg.ReadOnlySQLTransactionError, "it is read-only"),
    (asyncpg.LockNotAvailableError, "another session holds a lock for too long"),
    (asyncpg.QueryCanceledError, "a statement took too long"),
    (
        (
            asyncpg.UndefinedTableError,
            asyncpg.UndefinedColumnError,
            asyncpg.UndefinedFunctionError,
            asyncpg.UndefinedObjectError,
            asyncpg.InvalidSchemaNameError,
        ),
        "its schema lacks what the migrations make",
    ),
    (socket.gaierror, "the name of its host is not known"),
    (TimeoutError, "it does not answer in time"),
    ((ConnectionRefusedError, FileNotFoundError), "nothing listens at its address"),
    (PermissionError, "its socket is closed to this user"),
    (ssl.SSLError, "TLS cannot be agreed on with it"),
    (
        (ConnectionError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError),
        "it has broken off the connection",
    ),
    (asyncpg.ClientConfigurationError, "its address or the TLS files named in it do not fit"),
    (OSError, "its address cannot be reached"),
)


def cause_of(error: BaseException) -> str:
    """Return what keeps the database from serving, without the words of the driver."""
    if isinstance(error, Unavailable) and error.__cause__:
        return cause_of(error.__cause__)
    for classes, cause in _CAUSES:
        if isinstance(error, classes):
            return cause
    code = getattr(error, "sqlstate", None)
    return f"it reports an error of the class {type(error).__name__}" + (
        f", SQLSTATE {code}" if code else ""
    )
