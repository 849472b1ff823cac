"""A start that cannot be: one sentence on the cause and what to do, or it mends what is wrong."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.embedded import EmbeddedPostgresError, embedded_postgres, lifetime
from tests.conditions import as_root, with_mount

from .conftest import User
from .test_lifetime import ask, stopped


def refusal(data_dir: Path, *, connections: int = 0) -> str:
    """Start a server that must not start, and return the message."""
    with (
        pytest.raises(EmbeddedPostgresError) as refused,
        embedded_postgres(data_dir, connections=connections),
    ):
        pass
    return str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"garbage\n",
        b"\xff\xfe\x00",
        b"0\n",
        b"-1\n",
        b"99999999999999999999\n",
        b"self\n",
    ],
)
def test_a_spoilt_pid_file_is_no_server(own_data_dir: Path, text: bytes) -> None:
    cluster = own_data_dir / "postgres"
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (cluster / name).write_bytes(text)
        shutil.chown(cluster / name, cluster.stat().st_uid, cluster.stat().st_gid)
    with embedded_postgres(own_data_dir) as dsn:
        assert ask(dsn, "select 1") == 1
    assert stopped(own_data_dir)


def test_a_pid_file_spoilt_under_a_running_server_is_seen(
    own_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres ends by itself within a minute of it, and is not joined meanwhile."""
    monkeypatch.setattr(lifetime, "_START_TIMEOUT_S", 0.2)
    with User(own_data_dir) as user:
        user.heard()
        pid_file = own_data_dir / "postgres" / "postmaster.pid"
        original = pid_file.read_text()
        pid_file.write_bytes(b"\xff")
        assert "is neither ready nor gone after" in refusal(own_data_dir)
        pid_file.write_text(original)
        user.leave()


def test_the_lines_of_the_log_are_those_of_this_start(own_data_dir: Path) -> None:
    with embedded_postgres(own_data_dir):
        pass
    with (own_data_dir / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    said = refusal(own_data_dir)
    assert "does not start on" in said
    assert "no_such_setting" in said
    assert "shut down" not in said


def test_a_start_that_logs_nothing_says_what_pg_ctl_says(own_data_dir: Path) -> None:
    with embedded_postgres(own_data_dir):
        pass
    cluster = own_data_dir / "postgres"
    log = cluster / "server.log"
    log.unlink()
    log.mkdir()
    os.chown(log, cluster.stat().st_uid, cluster.stat().st_gid)
    said = refusal(own_data_dir)
    assert "server.log: Is a directory" in said


@pytest.mark.parametrize("mode", [0o755, 0o770])
def test_data_that_are_open_to_others_are_refused(own_data_dir: Path, mode: int) -> None:
    cluster = own_data_dir / "postgres"
    cluster.chmod(mode)
    assert refusal(own_data_dir) == (
        f"{cluster} is open to other users, which Postgres refuses: close it with "
        f"chmod 700 {cluster}"
    )


@as_root
def test_data_of_root_are_refused(own_data_dir: Path) -> None:
    cluster = own_data_dir / "postgres"
    account = cluster.owner()
    os.chown(cluster, 0, 0)
    assert refusal(own_data_dir) == (
        f"{cluster} belongs to root, and Postgres runs as {account}: hand it over with "
        f"chown -R {account} {cluster}"
    )


@as_root
@pytest.mark.parametrize("part", ["PG_VERSION", "global/pg_control", "pg_wal", "server.log"])
def test_data_of_which_a_part_is_anothers_are_refused(own_data_dir: Path, part: str) -> None:
    cluster = own_data_dir / "postgres"
    (cluster / "server.log").touch()
    os.chown(cluster / "server.log", cluster.stat().st_uid, cluster.stat().st_gid)
    os.chown(cluster / part, 0, 0)
    assert refusal(own_data_dir) == (
        f"{cluster / part} belongs to root, and Postgres runs as {cluster.owner()}: hand it over "
        f"with chown -R {cluster.owner()} {cluster}"
    )


def test_a_folder_that_holds_no_data_is_refused(own_data_dir: Path) -> None:
    cluster = own_data_dir / "postgres"
    for text in (None, b"", b"18devel\xff\n"):
        if text is None:
            (cluster / "PG_VERSION").unlink()
        else:
            (cluster / "PG_VERSION").write_bytes(text)
        assert refusal(own_data_dir) == (
            f"{cluster} is there but holds no Postgres data: name another data folder, or put "
            "back the data from a copy"
        )


def test_the_data_of_another_postgres_are_no_data_folder(own_data_dir: Path) -> None:
    cluster = own_data_dir / "postgres"
    before = sorted(cluster.iterdir())
    assert refusal(cluster) == (
        f"{cluster} holds the data of a Postgres itself: name a folder for shopdsr alone, as "
        f"{own_data_dir}"
    )
    assert sorted(cluster.iterdir()) == before


def test_a_data_folder_that_is_a_file_is_refused(empty_dir: Path) -> None:
    file = empty_dir / "file"
    file.touch()
    assert refusal(file) == f"{file} is no folder: name another data folder"
    assert refusal(file / "below").startswith(f"{file} is no folder")


def test_a_data_folder_that_is_a_circle_of_links_is_refused(empty_dir: Path) -> None:
    link = empty_dir / "link"
    link.symlink_to(link)
    assert f"the data folder {link}" in refusal(link)


@pytest.fixture
def small_disk(empty_dir: Path) -> Iterator[Callable[[int], Path]]:
    """Mount a file system of some MiB, and return a data folder on it."""
    mounted = empty_dir / "disk"
    mounted.mkdir(mode=0o711)

    def mount(mib: int) -> Path:
        options = f"size={mib}m,mode=0711"
        subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", mounted], check=True)
        return mounted / "data"

    try:
        yield mount
    finally:
        if mounted.is_mount():
            subprocess.run(["/bin/umount", mounted], check=True)


@with_mount
@pytest.mark.parametrize("mib", [2, 30])
def test_a_disk_too_small_for_a_first_start_is_named(
    small_disk: Callable[[int], Path], mib: int
) -> None:
    """Too small for the programs, and for the data."""
    data_dir = small_disk(mib)
    for _ in range(2):
        said = refusal(data_dir)
        assert said.startswith(f"the disk of {data_dir} is full: ")
        assert said.endswith(" MB are free, and Postgres needs some 100 MB: free some space on it")


@with_mount
def test_a_disk_that_has_become_full_is_named_and_heals(
    small_disk: Callable[[int], Path], own_data_dir: Path
) -> None:
    data_dir = small_disk(150)
    subprocess.run(["/bin/cp", "-a", own_data_dir, data_dir], check=True)
    with embedded_postgres(data_dir):
        pass
    filler = data_dir / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(data_dir).free)
    assert refusal(data_dir).startswith(f"the disk of {data_dir} is full: 0 MB are free")
    filler.unlink()
    with embedded_postgres(data_dir) as dsn:
        assert ask(dsn, "select 1") == 1


def test_the_server_takes_as_many_connections_as_are_wanted(data_dir: Path) -> None:
    with embedded_postgres(data_dir, connections=120) as dsn:
        assert int(str(ask(dsn, "show max_connections"))) >= 120 + lifetime.SPARE_CONNECTIONS
    with embedded_postgres(data_dir) as dsn:
        assert ask(dsn, "show max_connections") == "100"


def test_data_of_another_major_version_are_refused(own_data_dir: Path) -> None:
    (own_data_dir / "postgres" / "PG_VERSION").write_text("17\n")
    said = refusal(own_data_dir)
    assert "made by Postgres 17, and this is Postgres 18" in said
    assert said.endswith(": dump it with the old release and import it, or choose another folder")
