"""The same data on a server whose every flush to disk takes a millisecond longer."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from urllib.parse import quote

import asyncpg

from benchmarks import processes
from infra.embedded import SETTINGS
from infra.embedded.lifetime import SUPERUSER
from infra.embedded.places import DATABASE, PROGRAMS, claim, copy_of_wheel, wheel_dir

_SOURCE = Path(__file__).with_name("fsync_delay.c")
_START_TIMEOUT_S = 60
_POLL_S = 0.05


class NotBuilt(Exception):
    """There is no compiler, or it failed."""


def build_shim(folder: Path) -> Path:
    """Compile the library that delays flushes; raises NotBuilt."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotBuilt("there is no `cc`")
    library = folder / "fsync_delay.so"
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl"],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise NotBuilt(f"`cc` failed: {made.stderr.strip()}")
    library.chmod(0o755)
    return library


@contextmanager
def slow_postgres(data_dir: Path, library: Path) -> Iterator[str]:
    """The address of the database, its server started with the library for the block.

    The embedded server of the folder must have ended.
    """
    account = claim(data_dir)
    wheel = copy_of_wheel(data_dir) if account else wheel_dir()
    cluster = data_dir / "postgres"
    options = [word for item in SETTINGS.items() for word in ("-c", "=".join(item))]
    url = f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(cluster))}&port={SETTINGS['port']}"
    with processes.started(
        [str(wheel / PROGRAMS / "postgres"), "-D", ".", *options, "-c", "logging_collector=on"],
        environment={"PATH": "", "LC_ALL": "C", "LD_PRELOAD": str(library)},
        folder=cluster,
        stop_with=SIGINT,
        account=account,
    ):
        _wait_ready(url)
        yield url


def _wait_ready(url: str) -> None:
    async def answers() -> bool:
        try:
            connection = await asyncpg.connect(url, timeout=5)
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    give_up = time.monotonic() + _START_TIMEOUT_S
    while not asyncio.run(answers()):
        if time.monotonic() > give_up:
            raise TimeoutError("Postgres with delayed flushes does not start")
        time.sleep(_POLL_S)
