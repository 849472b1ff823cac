"""Start, sharing and stop of the embedded server.

The kernel releases two locks when a process ends, however it ends:

    turn.lock    held exclusively while a process looks at the server, starts it or stops it
    users.lock   held shared by every process that uses the server; a process that can lock it
                 exclusively is the last one, and stops the server

A server whose users were all killed goes on running, and the next user connects to it. A server
that was killed itself is started again by the next user, or at once by a user that supervises it,
and recovers what was committed.
"""

import contextlib
import fcntl
import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from infra.embedded import places
from infra.embedded.places import (
    DATABASE,
    MAJOR,
    PROGRAMS,
    Account,
    EmbeddedPostgresError,
    claim,
    explained,
)
from infra.embedded.supervision import supervised

SUPERUSER: Final = "postgres"


_MEMORY_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")


def memory_settings() -> dict[str, str]:
    """Return the settings of memory: pages get a quarter of the machine's or control group's.

    The memory is allocated on use. A single event may need any page of the index of a growing
    table, and a page that is not in memory is read from disk.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(_MEMORY_LIMIT.read_text()))
    megabytes = min(max(memory >> 20, 512), 32_768)
    return {
        "shared_buffers": f"{megabytes // 4}MB",
        "effective_cache_size": f"{megabytes // 2}MB",
    }


# Given on the server's command line at every start, so a new release brings its own to old data.
SETTINGS: Final[Mapping[str, str]] = {
    "cluster_name": DATABASE,
    # Reached through a socket in the data folder, which only the server's account may enter.
    # The path is relative to the data: it always fits the 107 bytes a socket's path may have.
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    # What was answered is on disk.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    **memory_settings(),
    "maintenance_work_mem": "128MB",
    "work_mem": "16MB",
    "random_page_cost": "1.1",
    # Steady ingest: checkpoints are rare.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    # Messages of the level ERROR quote values, and the client gets them anyway: the log holds
    # the life of the server only, never a statement, a parameter or a row.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    # Its messages are read, to tell a full disk.
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

CONNECTIONS_MIN: Final = 100
SPARE_CONNECTIONS: Final = 50
"""For commands beside a service, each of which takes few."""

_MODE_REFUSED = 0o027
_PROCESS_ID = re.compile("[1-9][0-9]{0,8}")
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_BYTES_MAX = 103  # macOS; Linux allows 107
_INITDB_TIMEOUT_S = 120
_START_TIMEOUT_S = 300  # recovery may have max_wal_size to replay
_STOP_TIMEOUT_S = 300
_RESTART_DEADLINE_S = 30.0
_APPEARANCE_DEADLINE_S = 2.0
_ANSWER_TIMEOUT_S = 1
_POLL_S = 0.02
_SSL_REQUEST = struct.pack("!II", 8, 80877103)  # the shortest request of the wire protocol


@contextlib.contextmanager
def embedded_postgres(
    data_dir: Path, *, create: bool = True, connections: int = 0, supervise: bool = False
) -> Iterator[str]:
    """Connect to the server of a data folder, or start it.

    The last user to leave stops the server. Without `create` a folder without data is refused,
    and nothing is made in it. A server that is started takes `connections` and some to spare; a
    server that runs is used as it is. With `supervise` a server that ends is started again.

    Yields the DSN of the database `shopdsr` as its superuser. It is for asyncpg, works for other
    processes of the same OS user too, and holds until the block is left. The server has its own
    session, so Ctrl-C does not reach it. Blocks; raises EmbeddedPostgresError.
    """
    data_dir = data_dir.absolute()
    with contextlib.ExitStack() as stack:
        with explained(data_dir):
            data_dir = Path(os.path.realpath(data_dir))
            if not create and not (data_dir / "postgres").exists():
                message = (
                    f"there is no data in {data_dir}: name the folder or the database that is "
                    "meant, or make a first one with `shopdsr serve`"
                )
                raise EmbeddedPostgresError(message)
            account = claim(data_dir)
            socket_dir = stack.enter_context(_short_path(data_dir / "postgres"))
            server = _Server(data_dir, account, socket_dir)
            users = _open_lock(data_dir / "users.lock", account)
            stack.callback(os.close, users)
            stack.callback(_leave, server, users)
        connections = max(CONNECTIONS_MIN, connections + SPARE_CONNECTIONS)
        with explained(data_dir), _exclusive(server):
            fcntl.flock(users, fcntl.LOCK_SH)
            server.ensure_running(connections)
        if supervise:
            stack.enter_context(
                supervised(server.cluster, partial(_start_again, server, connections))
            )
        yield (
            f"postgresql://{SUPERUSER}@/{DATABASE}"
            f"?host={quote(str(server.socket_dir))}&port={SETTINGS['port']}"
        )


@contextlib.contextmanager
def throwaway_data_dir() -> Iterator[Path]:
    """Yield a fresh data folder, and remove it with its server on leaving."""
    data_dir = Path(
        tempfile.mkdtemp(prefix="shopdsr-demo-", dir=places.temporary_place())
    ).resolve()
    if os.geteuid() == 0:
        data_dir.chmod(0o711)
    try:
        yield data_dir
    finally:
        with explained(data_dir):
            if (data_dir / "postgres").exists():
                with _short_path(data_dir / "postgres") as socket_dir:
                    server = _Server(data_dir, claim(data_dir), socket_dir)
                    with _exclusive(server):
                        server.stop()
            shutil.rmtree(data_dir)


@dataclass(frozen=True, slots=True)
class _Server:
    """The server of one data folder. Methods are called under the exclusive lock."""

    data_dir: Path
    account: Account | None
    socket_dir: Path

    @property
    def cluster(self) -> Path:
        """Return the folder that Postgres calls its data directory."""
        return self.data_dir / "postgres"

    def ensure_running(self, connections: int) -> None:
        """Return once the server accepts connections, having started it if there was none."""
        if not self.cluster.exists():
            self._create()
        self._check()
        log_start = self._log_size()
        give_up = time.monotonic() + _START_TIMEOUT_S
        while (status := self._status()) != "ready":
            if status == "absent":
                self._start(connections, log_start)
            elif time.monotonic() > give_up:
                message = (
                    f"the Postgres server on {self.data_dir} is neither ready nor gone after "
                    f"{_START_TIMEOUT_S} s{self._log_since(log_start)}"
                )
                raise EmbeddedPostgresError(message)
            else:
                time.sleep(_POLL_S)

    def stop(self) -> None:
        """End the server if it runs: sessions are broken off, what is committed is written."""
        if self._status() == "absent":
            return
        log_start = self._log_size()
        stop = ("stop", "-m", "fast", "-w", "-t", str(_STOP_TIMEOUT_S))
        ended = self._run("pg_ctl", "-D", ".", *stop, cwd=self.cluster, timeout_s=_STOP_TIMEOUT_S)
        if ended.returncode != 0 and self._status() != "absent":
            message = (
                f"the Postgres server on {self.data_dir} does not stop{self._log_since(log_start)}"
            )
            raise EmbeddedPostgresError(message)

    def _status(self) -> Literal["absent", "ready", "busy"]:
        """Return the status by the socket, since a pid file may name another process."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_ANSWER_TIMEOUT_S)
            try:
                probe.connect(str(self.socket_dir / _SOCKET))
                # A server that was just killed still accepts the connection, and never answers.
                probe.sendall(_SSL_REQUEST)
                answered = probe.recv(1)
            except (FileNotFoundError, ConnectionRefusedError):
                return "absent"
            except (TimeoutError, BlockingIOError, ConnectionError):
                answered = b""
        if not answered:
            return "busy"
        try:
            pid_file = self.cluster / "postmaster.pid"
            lines = pid_file.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "busy"
        return "ready" if lines[7:] and lines[7].strip() == "ready" else "busy"

    def _create(self) -> None:
        """Create the cluster and its database in another folder, and rename it."""
        fresh = self.data_dir / "postgres.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        if self.account:
            os.chown(fresh, *self.account)
        made = self._run(
            *("initdb", "-D", ".", "--username", SUPERUSER, "--auth-local=trust"),
            *("--auth-host=reject", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions"),
            cwd=fresh,
            timeout_s=_INITDB_TIMEOUT_S,
        )
        if made.returncode == 0:
            made = self._run(
                *("postgres", "--single", "-D", ".", "-c", "exit_on_error=on", "postgres"),
                cwd=fresh,
                timeout_s=_INITDB_TIMEOUT_S,
                given=f"create database {DATABASE}\n",
            )
        if made.returncode != 0:
            if places.is_full(made.stdout):
                raise EmbeddedPostgresError(places.full_disk(self.data_dir))
            message = f"no Postgres data could be made in {self.data_dir}: {_last_line(made)}"
            raise EmbeddedPostgresError(message)
        fresh.rename(self.cluster)
        folder = os.open(self.data_dir, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _check(self) -> None:
        """Refuse data that this server cannot open."""
        try:
            major = (self.cluster / "PG_VERSION").read_text(errors="replace").strip()
        except FileNotFoundError:
            major = ""
        if not major.isdecimal():
            message = (
                f"{self.cluster} is there but holds no Postgres data: name another data folder, "
                "or put back the data from a copy"
            )
            raise EmbeddedPostgresError(message)
        if major != MAJOR:
            message = (
                f"the data in {self.data_dir} were made by Postgres {major}, and this is Postgres "
                f"{MAJOR}: dump it with the old release and import it, or choose another folder"
            )
            raise EmbeddedPostgresError(message)
        self._check_access()

    def _check_access(self) -> None:
        """Refuse data whose owner or mode Postgres would refuse.

        Only the parts that Postgres opens first are checked.
        """
        if self.cluster.stat().st_mode & _MODE_REFUSED:
            message = (
                f"{self.cluster} is open to other users, which Postgres refuses: close it with "
                f"chmod 700 {shlex.quote(str(self.cluster))}"
            )
            raise EmbeddedPostgresError(message)
        uid = self.account.uid if self.account else os.geteuid()
        control = self.cluster / "global" / "pg_control"
        for path in (self.cluster, *sorted(self.cluster.iterdir()), control):
            try:
                owner = path.lstat().st_uid
            except FileNotFoundError:  # of a server that runs
                continue
            if owner != uid:
                name = places.owner_name(uid)
                message = (
                    f"{path} belongs to {places.owner_name(owner)}, and Postgres runs as {name}: "
                    f"hand it over with chown -R {name} {shlex.quote(str(self.cluster))}"
                )
                raise EmbeddedPostgresError(message)

    def _start(self, connections: int, log_start: int) -> None:
        """Start the server, after a crash once the old server's processes have ended."""
        settings = {**SETTINGS, "max_connections": str(connections)}
        options = shlex.join(arg for item in settings.items() for arg in ("-c", "=".join(item)))
        log = ("-l", "server.log", "-o", options)
        start = ("start", "-w", "-t", str(_START_TIMEOUT_S))
        crashed = (self.cluster / "postmaster.pid").exists()
        give_up = time.monotonic() + (_RESTART_DEADLINE_S if crashed else 0)
        while True:
            for left_behind in ("postmaster.pid", f"{_SOCKET}.lock"):
                self._remove_stale_pid_file(self.cluster / left_behind)
            try:
                started = self._run(
                    *("pg_ctl", "-D", ".", *log, *start),
                    cwd=self.cluster,
                    timeout_s=_START_TIMEOUT_S,
                )
            except (KeyboardInterrupt, SystemExit):
                # The server may be on its way; it must be there to be stopped on leaving.
                give_up_at = time.monotonic() + _APPEARANCE_DEADLINE_S
                while self._status() == "absent" and time.monotonic() < give_up_at:
                    time.sleep(_POLL_S)
                raise
            if started.returncode == 0 or self._status() != "absent":
                return
            if time.monotonic() > give_up:
                said = self._log_since(log_start) or _indented(started.stdout)
                if places.is_full(said) or not shutil.disk_usage(self.data_dir).free >> 20:
                    raise EmbeddedPostgresError(places.full_disk(self.data_dir))
                message = f"Postgres does not start on {self.data_dir}; it says:{said}"
                raise EmbeddedPostgresError(message)
            time.sleep(_POLL_S)

    def _remove_stale_pid_file(self, pid_file: Path) -> None:
        """Drop a pid file that is damaged or names no server of this folder.

        Postgres does not start with a damaged one, and takes any living process for a server: a
        stranger after the restart of a container, or an ended process that nobody has reaped. Two
        servers on one folder are prevented by their shared memory, which Postgres finds by the
        folder's inode.
        """
        try:
            number = pid_file.read_text(errors="replace").partition("\n")[0].strip()
        except FileNotFoundError:
            return
        if _PROCESS_ID.fullmatch(number):
            process = Path("/proc", number)
            if not process.exists():
                return  # Postgres sees this itself
            with contextlib.suppress(OSError):  # another user's, or ended
                if (process / "cwd").readlink() == self.cluster:
                    return
        pid_file.unlink(missing_ok=True)

    def _run(
        self, program: str, *args: str, cwd: Path, timeout_s: int, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the wheel in a session without the terminal's signals."""
        wheel = places.copy_of_wheel(self.data_dir) if self.account else places.wheel_dir()
        return subprocess.run(
            [wheel / PROGRAMS / program, *args],
            check=False,
            cwd=cwd,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # pg_ctl has a shorter timeout of its own.
            timeout=timeout_s + 10,
            start_new_session=True,
            umask=0o077,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )

    def _log_size(self) -> int:
        """Return where the next line of the server's log begins."""
        try:
            return (self.cluster / "server.log").stat().st_size
        except OSError:
            return 0

    def _log_since(self, start: int) -> str:
        """Return the last lines of the server's log after a point, indented."""
        try:
            log = (self.cluster / "server.log").read_bytes()
        except OSError:
            return ""
        return _indented(log[start:].decode(errors="replace"))


def _start_again(server: _Server, connections: int) -> None:
    with explained(server.data_dir), _exclusive(server):
        server.ensure_running(connections)


def _leave(server: _Server, users: int) -> None:
    """Stop the server if no other living process uses it."""
    with explained(server.data_dir), _exclusive(server):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            server.stop()
        except BlockingIOError:
            pass
        finally:
            # Not left to close(): a forked child would keep the lock.
            fcntl.flock(users, fcntl.LOCK_UN)


@contextlib.contextmanager
def _exclusive(server: _Server) -> Iterator[None]:
    """Hold the exclusive lock of a data folder for the block."""
    lock = _open_lock(server.data_dir / "turn.lock", server.account)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open_lock(path: Path, account: Account | None) -> int:
    """Open a file to lock, owned by the account where root makes it."""
    flags = os.O_RDWR | os.O_NOFOLLOW
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags)
    if account:
        os.fchown(file, *account)
    return file


@contextlib.contextmanager
def _short_path(folder: Path) -> Iterator[Path]:
    """Yield the folder, or a link where a socket's path would be too long."""
    if len(os.fsencode(folder / _SOCKET)) <= _SOCKET_PATH_BYTES_MAX and "," not in str(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="shopdsr-") as short:
        link = Path(short, "pg")
        link.symlink_to(folder)
        yield link


def _indented(text: str) -> str:
    return "".join(f"\n  {line}" for line in text.splitlines()[-5:])


def _last_line(ended: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that a failed program wrote."""
    lines = ended.stdout.strip().splitlines()
    return lines[-1] if lines else f"exit status {ended.returncode}"
