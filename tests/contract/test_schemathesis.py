"""Schemathesis, with all its checks, on the live service with a story in it."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from litestar import Litestar
from litestar.testing import AsyncTestClient

from infra.postgres.database import Database
from tests.conftest import Clock, new_key
from tests.contract.test_examples import carry_out
from tests.harness.server import REPOSITORY, serve

CONFIG = Path(__file__).with_name("schemathesis.toml")


async def test_schemathesis_finds_nothing(
    client: AsyncTestClient[Litestar],
    database: Database,
    database_url: str,
    clock: Clock,
    tmp_path: Path,
) -> None:
    await carry_out("first_shop", client, clock)
    clock.now = datetime.now(UTC)
    key = await new_key(database, clock)
    with serve(database_url) as server:
        url = f"{server.url}/openapi.json"
        ran = await asyncio.to_thread(run_schemathesis, url, key, tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def run_schemathesis(url: str, key: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command, which writes files into its working directory."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG),
            *("run", url, "--header", f"Authorization: Bearer {key}"),
            *("--checks", "all", "--no-color"),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
