"""The log: lines of JSON on stderr for the operator, without data of clients.

Messages of exceptions may quote what was sent or what is stored, so they are left out: of an
exception the log has the types and the places it passed.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

import msgspec
import stamina.instrumentation
import structlog
from structlog.typing import EventDict


def configure_log(to: TextIO = sys.stderr) -> None:
    """Write the log as JSON, with what asyncio logs by itself."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _without_messages,
            structlog.processors.JSONRenderer(serializer=_encoded),
        ],
        logger_factory=structlog.WriteLoggerFactory(to),
        cache_logger_on_first_use=True,
    )
    # A line of its own for each retry would quote the message of the driver.
    stamina.instrumentation.set_on_retry_hooks([])
    logger = logging.getLogger("asyncio")
    logger.handlers = [_ToLog()]
    logger.propagate = False


def _encoded(event: EventDict, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


class _ToLog(logging.Handler):
    """Writes to the log that a library has logged, and about which exception."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().error(record.name, exc_info=error)


class FirstLine(logging.Formatter):
    """Formats what another library logs: after the first line it quotes an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the level and the first line of a record."""
        return f"[{record.levelname}] {record.getMessage().partition(chr(10))[0]}"


def _without_messages(_logger: object, _method: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["error"] = list(trace_of(error))
    return event


def trace_of(error: BaseException) -> Iterator[str]:
    """Yield types and places, from the exception itself back to its cause."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield f"{type(link).__module__}.{type(link).__qualname__}"
        yield from _places(link.__traceback__)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _places(trace: TracebackType | None) -> Iterator[str]:
    for frame, line in traceback.walk_tb(trace):
        yield f"  {frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}"
