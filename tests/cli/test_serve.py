"""The server's life: how it starts, what it refuses, and how it ends."""

import multiprocessing
import os
import pwd
import re
import signal
import sys
from pathlib import Path

import granian._loops
import granian._signals
import pytest

from infra.embedded import embedded_postgres
from shopdsr import cli
from tests.api.samples import SHOP
from tests.cli.conftest import postgres_is_stopped
from tests.conditions import as_root
from tests.harness.client import get_status
from tests.harness.processes import all_ended, free_port, signal_all, wait_until
from tests.harness.server import READY_TIMEOUT_S, Server, Shell

# Forks that become another user have loaded all they need: the clone may be closed to others.
LOADED = (granian._loops, granian._signals)

SECRET = "secret-word"
WORKER_WITHOUT_DATABASE = f"""
import asyncpg
from shopdsr import worker


def fail(*_, **settings):
    raise asyncpg.PostgresError("{SECRET}")


worker.database_url = fail
"""

BROKEN_WORKER = """
from shopdsr import worker


def fail():
    raise RuntimeError("no worker today")


worker.worker = fail
"""


def without_requests(output: str) -> list[str]:
    """Return the lines that a server wrote, but for those that tell of a request."""
    return [line for line in output.splitlines() if '"event":"request"' not in line]


def unfinished_request(key: str) -> bytes:
    """Make a request whose body is never sent."""
    return (
        b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
        b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
        b"Authorization: Bearer %b\r\n\r\n" % key.encode()
    )


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
                caller.send(unfinished_request(key))
                assert caller.read_response().status == 100
            # The terminal tells every process of the session.
            os.killpg(server.process.pid, signal.SIGINT)
            status = server.process.wait(READY_TIMEOUT_S)
        assert (status, without_requests(server.output)) == (
            0,
            [f"Database: the embedded Postgres in {own_folder}", f"Serving on {server.url}"],
        )
    assert postgres_is_stopped(own_folder)


def test_a_taken_port_is_named(shell: Shell, server: Server) -> None:
    shell.environ["SHOPDSR_PORT"] = str(server.port)
    ended = shell.run("serve")
    assert ended.returncode == 2
    begin, _, rest = ended.stderr.partition(" by process ")
    assert begin == f"Error: Cannot listen on 127.0.0.1:{server.port}: Address already in use"
    assert rest in {
        f"{pid} (shopdsr): end it, or set another SHOPDSR_PORT\n"
        for pid in (server.process.pid, *server.workers)
    }


def test_the_workers_of_a_killed_server_free_the_port_at_once_and_end(own_folder: Path) -> None:
    """Though a request is under way that is never sent to its end."""
    shell = Shell(data_dir=own_folder, drain_timeout_s=1, drain_notice_ms=60_000)
    key = shell.create_key()
    with shell.serve() as server, server.raw_socket() as caller:
        caller.send(unfinished_request(key))
        assert caller.read_response().status == 100
        workers = server.workers
        server.kill(workers=False)
        assert not all_ended(workers), "the port is free before"
        wait_until(lambda: all_ended(workers), 15, "the worker has ended")


def test_an_embedded_server_takes_the_connections_of_all_workers(own_folder: Path) -> None:
    shell = Shell(data_dir=own_folder, workers=2, pool_connections=100)
    with shell.serve() as server:
        assert server.stop() == 0


def test_a_server_that_takes_too_few_connections_is_refused(
    own_folder: Path, database_url: str
) -> None:
    needed = "64 workers with 1000 connections each need 64000, and the server takes "
    settings = {"workers": 64, "pool_connections": 1_000, "port": free_port()}
    lower = ": lower SHOPDSR_WORKERS or SHOPDSR_POOL_CONNECTIONS"
    ended = Shell(database_url=database_url, **settings).run("serve")
    assert ended.returncode == 2
    assert re.search(rf"\nError: {needed}\d+{lower}\n", ended.stderr)
    with embedded_postgres(own_folder):
        ended = Shell(data_dir=own_folder, **settings).run("serve")
    assert ended.returncode == 2
    other = ", or start when no other shopdsr uses the data folder\n"
    assert f"\nError: {needed}97{lower}{other}" in ended.stderr


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.1"])
def test_an_address_that_is_not_of_this_machine_is_named(shell: Shell, host: str) -> None:
    shell.environ["SHOPDSR_HOST"] = host
    ended = shell.run("serve")
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"Error: Cannot listen on {host}:8000: ")


def test_workers_that_are_killed_again_and_again_are_replaced(database_url: str) -> None:
    with Shell(database_url=database_url, workers=2).serve() as server:
        killed: set[int] = set()

        def are_new() -> bool:
            return len(server.workers) == 2 and killed.isdisjoint(server.workers)

        for _ in range(4):
            # The new ones of a round may not have come so far as to serve.
            wait_until(are_new, READY_TIMEOUT_S, "all workers are replaced")
            killed.update(server.workers)
            signal_all(server.workers, signal.SIGKILL)
        wait_until(are_new, READY_TIMEOUT_S, "all workers are replaced")
        server.wait_until_ready()
        server.wait_until_all_listen()
        assert server.stop() == 0


def test_an_embedded_server_that_is_killed_is_started_again(own_folder: Path) -> None:
    with Shell(data_dir=own_folder).serve() as server, server.tenant_client("acme") as client:
        assert client.put("/v1/shops/s", json=SHOP).status_code == 201
        postmaster = int((own_folder / "postgres" / "postmaster.pid").read_text().split()[0])
        signal_all([postmaster], signal.SIGKILL)
        wait_until(lambda: not server.is_ready(), READY_TIMEOUT_S, "the database is gone")
        server.wait_until_ready()
        assert client.get("/v1/shops/s").status_code == 200
        assert server.stop() == 0
    assert postgres_is_stopped(own_folder)


def test_workers_that_cannot_start_end_the_service_and_say_why(
    database_url: str, tmp_path: Path
) -> None:
    # The command itself never makes the application, and its workers do.
    (tmp_path / "sitecustomize.py").write_text(BROKEN_WORKER)
    shell = Shell({"PYTHONPATH": str(tmp_path)}, database_url=database_url, port=free_port())
    ended = shell.run("serve")
    assert ended.returncode == 1
    assert "RuntimeError: no worker today" in ended.stderr
    assert ended.stderr.endswith(
        "Error: a worker ends at its start, 2 times in a row, for the cause above: "
        "the service ends\n"
    )
    assert ended.stdout == ""


def test_what_a_driver_says_to_a_worker_that_cannot_start_is_not_shown(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WORKER_WITHOUT_DATABASE)
    shell = Shell({"PYTHONPATH": str(tmp_path)}, database_url=database_url, port=free_port())
    ended = shell.run("serve")
    assert ended.returncode == 1
    assert "asyncpg.exceptions._base.PostgresError" in ended.stderr
    assert SECRET not in ended.stderr + ended.stdout


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
