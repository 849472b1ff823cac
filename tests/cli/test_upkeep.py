"""Migrations, the audit and the contract, from the command line."""

import asyncio
import gzip
import json
from pathlib import Path

import asyncpg
from click.testing import CliRunner

from infra.embedded import embedded_postgres
from infra.postgres.migrations import migrations
from shopdsr import cli
from tests.api.samples import SHOP, event
from tests.harness.server import Server, Shell


def test_migrate_takes_every_step_once(empty_url: str) -> None:
    shell = Shell(database_url=empty_url)
    first = shell.run("migrate")
    assert first.returncode == 0, first.stderr
    assert first.stderr.splitlines()[1:] == [migration.name for migration in migrations()]
    again = shell.run("migrate")
    assert again.returncode == 0
    assert again.stderr.endswith("\nThe schema is up to date.\n")
    assert first.stdout == again.stdout == ""


def test_verify_finds_and_repairs_what_is_stored_otherwise_than_the_facts_say(
    shell: Shell, server: Server, folder: Path, tmp_path: Path
) -> None:
    key = shell.create_key("audited")
    with server.client(key) as client:
        assert client.put("/v1/shops/audited", json=SHOP).status_code == 201
    lines = [{"listing_id": "1", "quantity": 1, "amount": "7.00"}]
    time = "2026-01-01T00:00:00Z"
    paid = event("order.paid", subject="audited", time=time, data={"lines": lines})
    file = tmp_path / "events.ndjson.gz"
    file.write_bytes(gzip.compress(json.dumps(paid).encode()))
    assert shell.run("import", "--tenant", "audited", file).returncode == 0
    assert shell.run("verify").returncode == 0

    with embedded_postgres(folder) as url:
        asyncio.run(plant(url))
    verified = shell.run("verify")
    assert verified.returncode == 1
    assert verified.stdout.count("\n") == 1
    difference = "tenant audited shop audited daily_totals 2026-01-01: stored {'paid': 9700,"
    assert difference in verified.stdout
    assert verified.stderr.endswith(" shops recounted, 1 wrong\n")
    repaired = shell.run("verify", "--repair")
    assert (repaired.returncode, repaired.stdout) == (0, verified.stdout)
    assert repaired.stderr.endswith(" shops recounted, 1 repaired\n")
    after = shell.run("verify")
    assert (after.returncode, after.stdout) == (0, "")
    assert after.stderr.endswith(" shops recounted, 0 wrong\n")
    trail = shell.run("audit", "--tenant", "audited", "--limit", "1")
    assert trail.stdout.endswith("\tcommand line\tverify --repair\taudited,daily_totals\n")


def test_help_says_what_each_command_does() -> None:
    for command in cli.main.commands.values():
        shown = CliRunner().invoke(command, ["--help"])
        assert shown.exit_code == 0
        assert command.help
        assert " ".join(command.help.split()[:4]) in shown.output


async def plant(url: str) -> None:
    """Do harm to one day."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("update daily_totals set paid = 9700 where paid = 700")
    finally:
        await connection.close()
