"""What docs/operating.md says of backing up and restoring, done as it stands there."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from infra.embedded import embedded_postgres, throwaway_data_dir
from infra.embedded.places import PROGRAMS, wheel_dir
from tests.api.samples import SHOP, event
from tests.harness.postgres import database_of, execute
from tests.harness.server import Server, Shell

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operating.md"
PATHS = ("", "/scorecard", "/dsr", "/tier", "/sell-through", "/listings", "/reviews")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a folder with a `.venv/bin/shopdsr`, for the commands of the guide."""
    program = tmp_path / ".venv" / "bin" / "shopdsr"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m shopdsr "$@"\n')
    program.chmod(0o700)
    return tmp_path


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Run another server; its superuser's address is yielded."""
    with throwaway_data_dir() as folder, embedded_postgres(folder) as url:
        yield url


async def test_a_dump_taken_while_serving_answers_the_same_elsewhere(
    empty_url: str, elsewhere: str, place: Path
) -> None:
    shell = Shell(database_url=empty_url)
    key = shell.create_key()
    with shell.serve() as server:
        before = fill(server, key)
        run(place, commands("back up"), SHOPDSR_DATABASE_URL=empty_url)
        assert stored(server, key, sold("later")) == 1

    name = f"restored_{uuid4().hex}"
    await execute(elsewhere, f"create database {name}")
    restored = database_of(elsewhere, name)
    *steps, serve = commands("restore")
    assert serve == ".venv/bin/shopdsr serve"
    verified = run(place, steps, RESTORED=restored)
    assert verified.stderr.endswith("1 shops recounted, 0 wrong\n")
    with Shell(database_url=restored).serve() as server:
        assert answers(server, key) == before
        assert stored(server, key, sold("first")) == 0, "it was in the dump"
        assert stored(server, key, sold("later")) == 1, "it was not"


def test_a_copy_of_the_stopped_data_folder_answers_the_same(own_folder: Path, place: Path) -> None:
    shell = Shell(data_dir=own_folder)
    key = shell.create_key()
    with shell.serve() as server:
        before = fill(server, key)
        assert server.stop() == 0
    with throwaway_data_dir() as folder:
        copy = folder / "copy"
        *steps, serve = commands("copy")
        assert serve == ".venv/bin/shopdsr serve"
        verified = run(place, steps, SHOPDSR_DATA_DIR=str(own_folder), COPY=str(copy))
        assert verified.stderr.endswith("1 shops recounted, 0 wrong\n")
        with Shell(data_dir=copy).serve() as server:
            assert answers(server, key) == before
            assert server.stop() == 0


def commands(what: str) -> list[str]:
    """Return the lines of a marked block of the guide."""
    block = GUIDE.read_text("utf-8").split(f"<!-- {what}: begin -->\n```\n")[1]
    return block.split(f"```\n<!-- {what}: end -->")[0].splitlines()


def run(place: Path, lines: list[str], **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run lines in a shell that ends at the first that fails."""
    programs = os.pathsep.join([str(wheel_dir() / PROGRAMS), os.environ["PATH"]])
    ended = subprocess.run(
        ["/bin/sh", "-e", "-c", "\n".join(lines)],
        cwd=place,
        env=Shell(variables).environ | {"PATH": programs},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def fill(server: Server, key: str) -> list[str]:
    """Give the tenant a shop with facts; return the responses about it."""
    with server.client(key) as client:
        assert client.put("/v1/shops/s", json=SHOP).status_code == 201
    rated = event(time="2026-01-15T04:00:00Z", data={"completed_at": None})
    for sent in (sold("first"), rated):
        assert stored(server, key, sent) == 1
    return answers(server, key)


def stored(server: Server, key: str, sent: dict[str, object]) -> int:
    """Send an event; return how many were stored."""
    with server.client(key) as client:
        answer = client.post("/v1/events", json=sent)
    assert answer.json()["rejected"] == []
    count: int = answer.json()["stored"]
    return count


def sold(name: str) -> dict[str, object]:
    """Return an order that was paid."""
    return event("order.paid", id=name, time="2026-01-15T04:00:00Z", data={"order_id": name})


def answers(server: Server, key: str) -> list[str]:
    """Return the responses about the shop as of the day of its facts."""
    texts = []
    with server.client(key) as client:
        for path in PATHS:
            days = {"start": "2026-01-15", "end": "2026-01-15"} if path == "/reviews" else {}
            query = days or ({"as_of": "2026-01-15"} if path else {})
            answer = client.get(f"/v1/shops/s{path}", params=query)
            assert answer.status_code == 200, answer.text
            texts.append(answer.text)
    return texts
