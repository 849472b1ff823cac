"""The server's life: how it starts, what it refuses, and how it ends."""

import multiprocessing
import os
import pwd
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import granian._loops
import granian._signals
import pytest

from infra.embedded import places, throwaway_data_dir
from shopdsr import cli
from tests.cli.conftest import postgres_is_stopped
from tests.conditions import as_root
from tests.harness.client import get_status
from tests.harness.processes import wait_until
from tests.harness.server import READY_TIMEOUT_S, Server, Shell, free_port

# Forks that become another user have loaded all they need: the clone may be closed to others.
LOADED = (granian._loops, granian._signals)

BROKEN_WORKER = """
from shopdsr import worker


def fail():
    raise RuntimeError("no worker today")


worker.worker = fail
"""


def without_requests(output: str) -> list[str]:
    """Return the lines that a server wrote, but for those that tell of a request."""
    return [line for line in output.splitlines() if '"event":"request"' not in line]


@pytest.mark.parametrize("ending", ["SIGTERM", "Ctrl-C", "Ctrl-C while a body comes in"])
def test_an_end_that_is_asked_for_is_clean(own_folder: Path, ending: str) -> None:
    shell = Shell(data_dir=own_folder)
    key = shell.create_key()
    with shell.serve() as server, server.raw_socket() as caller:
        caller.send(b"")  # a connection that is open
        assert not postgres_is_stopped(own_folder)
        if ending == "SIGTERM":
            status = server.stop()
        else:
            if "body" in ending:
                caller.send(
                    b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
                    b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
                    b"Authorization: Bearer %b\r\n\r\n" % key.encode()
                )
                assert caller.read_response().status == 100
            # The terminal tells every process of the session.
            os.killpg(server.process.pid, signal.SIGINT)
            status = server.process.wait(READY_TIMEOUT_S)
        assert (status, without_requests(server.output)) == (0, [f"Serving on {server.url}"])
    assert postgres_is_stopped(own_folder)


def test_a_taken_port_is_named(shell: Shell, server: Server) -> None:
    shell.environ["SHOPDSR_PORT"] = str(server.port)
    ended = shell.run("serve")
    message = f"Error: Cannot listen on 127.0.0.1:{server.port}: Address already in use\n"
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
    shell = Shell({"PYTHONPATH": str(tmp_path)}, database_url=database_url, port=free_port())
    ended = shell.run("serve")
    assert ended.returncode == 1
    assert "RuntimeError: no worker today" in ended.stderr
    assert "Worker crash loop detected" in ended.stderr
    assert ended.stdout == ""


@pytest.fixture
def open_wheel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the wheel's files in a folder that is open to all."""
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
    ready = f"http://127.0.0.1:{port}/readyz"
    wait_until(lambda: get_status(ready) == 200, READY_TIMEOUT_S, "the server is ready")
    assert (own_folder / "postgres").stat().st_uid == entry.pw_uid
    process.terminate()
    process.join(READY_TIMEOUT_S)
    assert process.exitcode == 0, (tmp_path / "said").read_text()
    assert postgres_is_stopped(own_folder)
