"""Files of events go the way of posted ones."""

import gzip
import json
from pathlib import Path

import pytest

from tests.api.samples import SHOP, event, lines
from tests.harness.server import Server, Shell


@pytest.fixture
def key(shell: Shell, server: Server) -> str:
    """Make a key of the tenant `files`, which has the shop `a`."""
    made = shell.create_key("files")
    with server.client(made) as client:
        answer = client.put("/v1/shops/a", json=SHOP)
    assert answer.status_code in {200, 201}
    return made


def listings(prefix: str, count: int) -> bytes:
    """Return a shop's first listings as NDJSON."""
    names = [{"listing_id": f"{prefix}-{number}"} for number in range(count)]
    return lines(event("listing.published", subject="a", data=name) for name in names)


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("form", ["plain", "gzip"])
@pytest.mark.parametrize("ending", [".ndjson", ".gz"])
def test_a_file_is_recorded_once_whatever_its_name(
    shell: Shell, tmp_path: Path, form: str, ending: str
) -> None:
    file = tmp_path / f"events{ending}"
    text = listings(form + ending, 1_500)
    file.write_bytes(gzip.compress(text) if form == "gzip" else text)
    first = shell.run("import", "--tenant", "files", file)
    assert first.returncode == 0, first.stderr
    assert first.stdout == "1500 events: 1500 stored, 0 known before, 0 refused\n"
    assert file.name in first.stderr, "progress is shown"
    again = shell.run("import", "--tenant", "files", file)
    assert again.returncode == 0
    assert again.stdout == "1500 events: 0 stored, 1500 known before, 0 refused\n"


@pytest.mark.usefixtures("key")
def test_refused_lines_are_told_and_the_others_recorded(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    good, other = listings("refused", 2).splitlines(keepends=True)
    file.write_bytes(good + b"{\n\n" + other.replace(b'"subject": "a"', b'"subject": "b"') + other)
    ended = shell.run("import", "--tenant", "files", file)
    assert ended.returncode == 1
    assert ended.stdout == "4 events: 2 stored, 0 known before, 2 refused\n"
    rejected = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    assert [(line["line"], line["index"], line["code"]) for line in rejected] == [
        (2, 1, "malformed"),
        (4, 2, "unknown_shop"),
    ]


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("fault", ["cut short", "damaged"])
def test_a_broken_file_is_named_and_what_came_before_is_recorded(
    shell: Shell, tmp_path: Path, fault: str
) -> None:
    text = listings(fault.replace(" ", "-"), 2_000)
    whole = gzip.compress(text, compresslevel=0)
    damaged = bytearray(whole)
    damaged[-8] ^= 0xFF
    file = tmp_path / "events.ndjson.gz"
    file.write_bytes(whole[:-20] if fault == "cut short" else bytes(damaged))
    ended = shell.run("import", "--tenant", "files", file)
    assert ended.returncode == 2
    cause = "it is cut short" if fault == "cut short" else "it is damaged"
    assert ended.stderr.endswith(
        f"Error: {file} cannot be read to its end: {cause}. The events before that are recorded.\n"
    )

    file.write_bytes(whole)
    again = shell.run("import", "--tenant", "files", file)
    assert again.returncode == 0
    stored = int(again.stdout.split()[2])
    assert stored < 2_000, again.stdout


def test_an_unknown_tenant_and_a_missing_file_are_named(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    missing = shell.run("import", "--tenant", "files", file)
    assert missing.returncode == 2
    assert f"'{file}' does not exist" in missing.stderr
    file.write_bytes(listings("x", 1))
    unknown = shell.run("import", "--tenant", "nobody", file)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "Error: There is no tenant nobody\n" in unknown.stderr
