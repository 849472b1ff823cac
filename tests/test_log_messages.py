"""No message of an exception reaches the log of the HTTP server."""

import logging

import pytest
from granian.log import LogLevels, configure_logging

from shopdsr.server import LOG_TO_STDERR

SECRET = "secret-word"


def test_what_follows_the_first_line_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogLevels.error, LOG_TO_STDERR)
    logger = logging.getLogger("_granian")
    logger.error("raised an exception\nTraceback (most recent call last):\n  %s", SECRET)
    logger.handlers.clear()
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "[ERROR] raised an exception\n")
