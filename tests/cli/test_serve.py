"""The server's life: how it starts, what it refuses, and how it ends."""

import multiprocessing
import os
import pwd
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import granian._loops
import granian._signals
import pytest

from infra.embedded import places, throwaway_data_dir
from shopdsr import cli
from tests.cli.conftest import (
    PATIENCE_S,
    Served,
    Shell,
    free_port,
    postgres_is_stopped,
    wait_until_ready,
)
from tests.conditions import as_root

# Forks that become another user have loaded all they need: the clone may be closed to others.
LOADED = (granian._loops, granian._signals)

BROKEN_WORKER = """
from shopdsr import worker


def fail():
    raise RuntimeError("no worker today")


worker.worker = fail
"""


@pytest.mark.parametrize("ending", ["SIGTERM", "Ctrl-C", "Ctrl-C while a body comes in"])
def test_an_end_that_is_asked_for_is_clean(own_folder: Path, ending: str) -> None:
    shell = Shell(SHOPDSR_DATA_DIR=str(own_folder))
    key = shell.key()
    with shell.serve() as served, socket.create_connection(("127.0.0.1", served.port)) as caller:
        assert not postgres_is_stopped(own_folder)
        if ending == "SIGTERM":
            status, said = served.end()
        else:
            if "body" in ending:
                caller.sendall(
                    b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
                    b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
                    b"Authorization: Bearer %b\r\n\r\n" % key.encode()
                )
                assert caller.recv(1024).startswith(b"HTTP/1.1 100")
            # The terminal tells every process of the session.
            os.killpg(served.process.pid, signal.SIGINT)
            status, said = served.ended()
    assert (status, said) == (0, f"Serving on http://127.0.0.1:{served.port}\n")
    assert postgres_is_stopped(own_folder)


def test_a_start_after_kill_9_works_and_nothing_is_lost(own_folder: Path) -> None:
    shell = Shell(SHOPDSR_DATA_DIR=str(own_folder))
    port = free_port()
    with shell.serve(port) as served:
        key = shell.key()
        os.killpg(served.process.pid, signal.SIGKILL)
    with shell.serve(port) as served:
        assert served.get("/v1/shops", key) == 200
        # Only the first process now: the others must not keep the port.
        assert served.end(signal.SIGKILL)[0] == -signal.SIGKILL
    with shell.serve(port) as served:
        assert served.get("/v1/shops", key) == 200
        assert served.end()[0] == 0
    assert postgres_is_stopped(own_folder)


def test_several_workers_serve_and_end_together(own_folder: Path) -> None:
    shell = Shell(SHOPDSR_DATA_DIR=str(own_folder), SHOPDSR_WORKERS="2")
    with shell.serve() as served:
        key = shell.key()
        assert {served.get("/v1/shops", key) for _ in range(20)} == {200}
        assert served.end()[0] == 0
    assert postgres_is_stopped(own_folder)


def test_a_taken_port_is_named(shell: Shell, served: Served) -> None:
    shell.environ["SHOPDSR_PORT"] = str(served.port)
    ended = shell.run("serve")
    message = f"Error: Cannot listen on 127.0.0.1:{served.port}: Address already in use\n"
    assert (ended.returncode, ended.stderr) == (1, message)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.1"])
def test_an_address_that_is_not_of_this_machine_is_named(shell: Shell, host: str) -> None:
    shell.environ["SHOPDSR_HOST"] = host
    ended = shell.run("serve")
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Error: Cannot listen on {host}:8000: ")


def test_workers_that_cannot_start_end_the_service_and_say_why(
    database_url: str, tmp_path: Path
) -> None:
    # The command itself never makes the application, and its workers do.
    (tmp_path / "sitecustomize.py").write_text(BROKEN_WORKER)
    shell = Shell(
        SHOPDSR_DATABASE_URL=database_url,
        SHOPDSR_PORT=str(free_port()),
        PYTHONPATH=str(tmp_path),
    )
    ended = shell.run("serve")
    assert ended.returncode == 1
    assert "RuntimeError: no worker today" in ended.stderr
    assert "Worker crash loop detected" in ended.stderr
    assert ended.stdout == ""


@pytest.fixture
def open_wheel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The wheel's files in a folder that is open to all."""
    with throwaway_data_dir() as folder:
        wheel = places.copy_of_wheel(folder)
        monkeypatch.setattr(places, "wheel_dir", lambda: wheel)
        yield


@as_root
@pytest.mark.usefixtures("open_wheel")
def test_an_ordinary_user_serves_too(own_folder: Path, tmp_path: Path) -> None:
    entry = pwd.getpwnam("nobody")
    os.chown(own_folder, entry.pw_uid, entry.pw_gid)
    port = free_port()

    def serve() -> None:
        said = os.open(tmp_path / "said", os.O_WRONLY | os.O_CREAT)
        os.dup2(said, sys.stderr.fileno())
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        os.environ.update(SHOPDSR_DATA_DIR=str(own_folder), SHOPDSR_PORT=str(port))
        cli.main(["serve"])

    process = multiprocessing.get_context("fork").Process(target=serve)
    process.start()
    wait_until_ready(port)
    assert (own_folder / "postgres").stat().st_uid == entry.pw_uid
    process.terminate()
    process.join(PATIENCE_S)
    assert process.exitcode == 0, (tmp_path / "said").read_text()
    assert postgres_is_stopped(own_folder)
