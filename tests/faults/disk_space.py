"""Taking a database's disk space away: a small file system, or a limit on the size of files.

A file system of one's own takes the right to mount. Where that is missing the kernel's limit on
the size of files stands in: it is set on every process of the server, at the size of a segment of
the log of writes, and a table is brought up to it first.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from infra.embedded.places import temporary_place
from tests.harness.postgres import Cluster

SMALL_MIB = 48
_SEGMENT_BYTES = 16 * 2**20
_MOUNT, _UMOUNT = "/bin/mount", "/bin/umount"
_PRLIMIT = "/usr/bin/prlimit"
_CHUNK = bytes(2**16)

# These rows belong to no shop, so that nothing ever reads them.
_GROW = """
    insert into listing_events (shop_key, listing_id, time, kind, day, title)
    select -1, number::text, now(), 'edited', current_date, repeat('x', 500)
    from generate_series($1::int, $1::int + 999) as number
"""


@dataclass(frozen=True)
class Disk:
    """A folder on a small file system, or only a folder."""

    folder: Path
    mounted: bool
    what: str


@contextmanager
def small_disk(mib: int = SMALL_MIB) -> Iterator[Disk]:
    """Mount a file system of this size, if this process may."""
    folder = Path(tempfile.mkdtemp(prefix="shopdsr-small-", dir=temporary_place()))
    tried = "not root"
    if os.geteuid() == 0:
        mount = [
            _MOUNT,
            "-t",
            "tmpfs",
            "-o",
            f"size={mib}m,mode=0711",
            "shopdsr-small",
            str(folder),
        ]
        tried = subprocess.run(mount, check=False, capture_output=True, text=True).stderr.strip()
    try:
        if tried:
            yield Disk(folder, False, f"no file system can be mounted ({tried}): files are limited")
        else:
            yield Disk(folder, True, f"on a file system of {mib} MiB")
    finally:
        if not tried:
            subprocess.run([_UMOUNT, folder], check=True)
        shutil.rmtree(folder)


@contextmanager
def tablespace(cluster: Cluster, disk: Disk) -> Iterator[dict[str, str]]:
    """Yield options of a database whose tables are on the disk."""
    if not disk.mounted:
        yield {}
        return
    name, place = f"small_{uuid4().hex[:12]}", disk.folder / "tables"
    place.mkdir(mode=0o700)
    owner = cluster.folder.stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    cluster.sql(f"create tablespace {name} location '{place}'")
    try:
        yield {"tablespace": name}
    finally:
        cluster.sql(f"drop tablespace {name}")


@contextmanager
def filled(disk: Disk, cluster: Cluster, url: str) -> Iterator[None]:
    """Leave no disk space during the block."""
    if not disk.mounted:
        with _limited(cluster, url):
            yield
        return
    ballast = disk.folder / "ballast"
    try:
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(_CHUNK):
                pass
        yield
    finally:
        ballast.unlink()


@contextmanager
def _limited(cluster: Cluster, url: str) -> Iterator[None]:
    size = "select pg_relation_size('listing_events')"
    number = 0
    while cluster.sql(size, url=url)[0][0] < _SEGMENT_BYTES - 2**20:
        cluster.sql(_GROW, number, url=url)
        number += 1_000
    try:
        _limit(cluster, str(_SEGMENT_BYTES))
        yield
    finally:
        _limit(cluster, "unlimited")


def _limit(cluster: Cluster, size: str) -> None:
    """Set the soft limit of every process of the server, as the server's account."""
    owner = cluster.folder.stat()
    account = {} if os.geteuid() else {"user": owner.st_uid, "group": owner.st_gid}
    for pid in cluster.processes():
        limit = [_PRLIMIT, "--pid", str(pid), f"--fsize={size}:"]
        subprocess.run(limit, check=True, **account)  # type: ignore[call-overload]
