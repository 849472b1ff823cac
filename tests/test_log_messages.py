"""No message of an exception reaches the log by way of a library."""

import logging
from io import StringIO

import pytest
import stamina
import structlog
from granian.log import LogLevels, configure_logging

from shopdsr.log import configure_log
from shopdsr.server import LOG_TO_STDERR

SECRET = "secret-word"


def test_the_http_server_shows_nothing_after_the_first_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(LogLevels.error, LOG_TO_STDERR)
    logger = logging.getLogger("_granian")
    logger.error("raised an exception\nTraceback (most recent call last):\n  %s", SECRET)
    logger.handlers.clear()
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "[ERROR] raised an exception\n")


def test_a_retry_shows_no_message_of_what_failed(caplog: pytest.LogCaptureFixture) -> None:
    log = StringIO()
    configure_log(log)
    tries = 0
    try:
        for attempt in stamina.retry_context(
            on=OSError, attempts=3, wait_initial=0.0, wait_jitter=0.0
        ):
            with attempt:
                tries += 1
                if tries < 3:
                    raise OSError(SECRET)
    finally:
        structlog.reset_defaults()
    assert tries == 3
    assert SECRET not in log.getvalue() + caplog.text
