"""A server that ends under its supervising user is started again."""

import contextlib
import time
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from infra.embedded import embedded_postgres, lifetime
from tests.embedded.test_lifetime import ask, stopped
from tests.harness.postgres import Cluster, Kill
from tests.harness.processes import wait_until

WITHIN_S = 30.0


def answers(dsn: str) -> bool:
    """Return whether the server takes a new connection and answers."""
    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return ask(dsn, "select 1") == 1
    return False


@pytest.mark.parametrize("what", ["postmaster", "everything"])
def test_a_killed_server_is_started_again_with_what_was_committed(
    own_data_dir: Path, what: Kill
) -> None:
    with embedded_postgres(own_data_dir, supervise=True) as dsn:
        ask(dsn, "create table commits (n int)")
        for count in (1, 2):
            ask(dsn, "insert into commits values (1)")
            Cluster(own_data_dir, dsn).kill(what)
            wait_until(lambda: answers(dsn), WITHIN_S, "the server is started again")
            assert ask(dsn, "select count(*) from commits") == count
    assert stopped(own_data_dir)


def test_a_start_that_fails_is_tried_again_until_the_cause_is_gone(
    own_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifetime, "_RESTART_DEADLINE_S", 0.2)
    settings = own_data_dir / "postgres" / "postgresql.conf"
    with capture_logs() as log, embedded_postgres(own_data_dir, supervise=True) as dsn:
        text = settings.read_text()
        settings.write_text(f"{text}\nno_such_setting = 1\n")
        Cluster(own_data_dir, dsn).kill("everything")
        failed = "database does not start again"
        wait_until(lambda: failed in str(log), 90, "the failure is logged")
        assert not answers(dsn)
        settings.write_text(text)
        wait_until(lambda: answers(dsn), 90, "the server is started again")


def test_a_server_that_is_left_stays_stopped(own_data_dir: Path) -> None:
    with embedded_postgres(own_data_dir, supervise=True):
        pass
    deadline = time.monotonic() + 2
    wait_until(lambda: time.monotonic() > deadline, 5, "a supervisor would have looked")
    assert stopped(own_data_dir)
