"""The log: a line of JSON on stderr for what an operator should know, without a caller's data.

Messages of exceptions may quote what was sent or what is stored, so they are left out: an
exception is told by its types and by where it passed.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict


def configure_log(to: TextIO = sys.stderr) -> None:
    """Write the log, and what asyncio would log by itself."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _without_messages,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(to),
    )
    logger = logging.getLogger("asyncio")
    logger.handlers = [_ToLog()]
    logger.propagate = False


class _ToLog(logging.Handler):
    """Passes on that something was logged, and about which exception."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().error(record.name, exc_info=error)


def _without_messages(_logger: object, _method: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["error"] = list(_told(error))
    return event


def _told(error: BaseException) -> Iterator[str]:
    """Types and places, from the exception itself back to its cause."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield f"{type(one).__module__}.{type(one).__qualname__}"
        yield from _places(one.__traceback__)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _places(trace: TracebackType | None) -> Iterator[str]:
    for frame, line in traceback.walk_tb(trace):
        yield f"  {frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}"
