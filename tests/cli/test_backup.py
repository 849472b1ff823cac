"""What the README says of backing up and restoring, done as it stands there."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from infra.embedded import embedded_postgres, throwaway_data_dir
from infra.embedded.places import PROGRAMS, wheel_dir
from tests.cli.conftest import Served, Shell
from tests.conftest import database_of, execute

README = Path(__file__).resolve().parents[2] / "README.md"
ASKED = ("", "/scorecard", "/dsr", "/tier", "/sell-through", "/listings", "/reviews")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a `.venv/bin/shopdsr`, in which the README's commands are run."""
    program = tmp_path / ".venv" / "bin" / "shopdsr"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m shopdsr "$@"\n')
    program.chmod(0o700)
    return tmp_path


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Another server; its superuser's address."""
    with throwaway_data_dir() as folder, embedded_postgres(folder) as url:
        yield url


async def test_a_dump_taken_while_serving_answers_the_same_elsewhere(
    empty_url: str, elsewhere: str, place: Path
) -> None:
    shell = Shell(SHOPDSR_DATABASE_URL=empty_url)
    key = shell.key()
    with shell.serve() as served:
        told = fill(served, key)
        run(place, commands("back up"), SHOPDSR_DATABASE_URL=empty_url)
        assert stored(served, key, sold("later")) == 1

    name = f"restored_{uuid4().hex}"
    await execute(elsewhere, f"create database {name}")
    restored = database_of(elsewhere, name)
    *steps, serve = commands("restore")
    assert serve == ".venv/bin/shopdsr serve"
    verified = run(place, steps, RESTORED=restored)
    assert verified.stderr.endswith("1 shops recounted, 0 wrong\n")
    with Shell(SHOPDSR_DATABASE_URL=restored).serve() as served:
        assert answers(served, key) == told
        assert stored(served, key, sold("first")) == 0, "it was in the dump"
        assert stored(served, key, sold("later")) == 1, "it was not"


def test_a_copy_of_the_stopped_data_folder_answers_the_same(own_folder: Path, place: Path) -> None:
    shell = Shell(SHOPDSR_DATA_DIR=str(own_folder))
    key = shell.key()
    with shell.serve() as served:
        told = fill(served, key)
        assert served.end()[0] == 0
    with throwaway_data_dir() as folder:
        copy = folder / "copy"
        *steps, serve = commands("copy")
        assert serve == ".venv/bin/shopdsr serve"
        verified = run(place, steps, SHOPDSR_DATA_DIR=str(own_folder), COPY=str(copy))
        assert verified.stderr.endswith("1 shops recounted, 0 wrong\n")
        with Shell(SHOPDSR_DATA_DIR=str(copy)).serve() as served:
            assert answers(served, key) == told
            assert served.end()[0] == 0


def commands(what: str) -> list[str]:
    """The lines of a marked block of the README."""
    block = README.read_text("utf-8").split(f"<!-- {what}: begin -->\n```\n")[1]
    return block.split(f"```\n<!-- {what}: end -->")[0].splitlines()


def run(place: Path, lines: list[str], **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run lines in a shell that ends at the first that fails."""
    programs = os.pathsep.join([str(wheel_dir() / PROGRAMS), os.environ["PATH"]])
    ended = subprocess.run(
        ["/bin/sh", "-e", "-c", "\n".join(lines)],
        cwd=place,
        env=Shell(**variables).environ | {"PATH": programs},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def fill(served: Served, key: str) -> list[str]:
    """Give the tenant a shop with facts; the answers about it."""
    shop = {"marketplace": "taobao", "category": "baby", "currency": "CNY"}
    assert httpx.put(address(served, "/shops/s"), json=shop, headers=auth(key)).status_code == 201
    scores = {"description": 5, "service": 4, "logistics": 3}
    ids = {"review_id": "r", "order_id": "o", "buyer_id": "b"}
    rated = sold("rated") | {"type": "review.posted", "data": {**ids, "scores": scores}}
    for event in (sold("first"), rated):
        assert stored(served, key, event) == 1
    return answers(served, key)


def stored(served: Served, key: str, event: dict[str, object]) -> int:
    """Send an event; how many were stored."""
    answer = httpx.post(address(served, "/events"), json=event, headers=auth(key))
    assert answer.json()["rejected"] == []
    count: int = answer.json()["stored"]
    return count


def sold(name: str) -> dict[str, object]:
    """An order that was paid."""
    line = {"listing_id": "l", "quantity": 2, "amount": "12.50"}
    return {
        "specversion": "1.0",
        "id": name,
        "source": "/tests",
        "type": "order.paid",
        "subject": "s",
        "time": "2026-01-15T04:00:00Z",
        "data": {"order_id": name, "buyer_id": "b", "lines": [line]},
    }


def answers(served: Served, key: str) -> list[str]:
    """What is answered about the shop as of the day of its facts."""
    found = []
    for path in ASKED:
        range_of = {"start": "2026-01-15", "end": "2026-01-15"} if path == "/reviews" else {}
        query = range_of or ({"as_of": "2026-01-15"} if path else {})
        answer = httpx.get(address(served, f"/shops/s{path}"), params=query, headers=auth(key))
        assert answer.status_code == 200, answer.text
        found.append(answer.text)
    return found


def address(served: Served, path: str) -> str:
    """A path under /v1."""
    return f"http://127.0.0.1:{served.port}/v1{path}"


def auth(key: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"authorization": f"Bearer {key}"}
