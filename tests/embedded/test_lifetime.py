"""Who starts the server, who shares it, and who stops it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from infra.embedded import (
    EmbeddedPostgresError,
    embedded_postgres,
    lifetime,
    throwaway_data_dir,
)

from .conftest import User


def ask(dsn: str, statement: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def server(data_dir: Path) -> int:
    """Return the process id of the running server."""
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def stopped(data_dir: Path) -> bool:
    """Return whether the server ended cleanly: it removes both files as its last act."""
    cluster = data_dir / "postgres"
    return not (cluster / "postmaster.pid").exists() and not (cluster / ".s.PGSQL.5432").exists()


def kill_server(data_dir: Path) -> None:
    os.kill(server(data_dir), signal.SIGKILL)


def alive(number: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_database_is_there_when_the_block_begins(empty_dir: Path) -> None:
    with embedded_postgres(empty_dir) as dsn:
        assert ask(dsn, "select current_database()") == "shopdsr"
    assert stopped(empty_dir)


def test_a_start_on_existing_data_takes_less_than_two_seconds(data_dir: Path) -> None:
    began = time.monotonic()
    with embedded_postgres(data_dir):
        assert time.monotonic() - began < 2


def test_the_end_of_a_short_command_leaves_the_server_to_the_others(
    data_dir: Path, join: Callable[[], User]
) -> None:
    serve = join()
    dsn = serve.heard()
    number = server(data_dir)

    command = join()
    assert command.heard() == dsn
    command.leave()
    with embedded_postgres(data_dir) as same:
        assert same == dsn

    assert server(data_dir) == number
    assert ask(dsn, "select 1") == 1
    serve.leave()
    assert stopped(data_dir)


def test_who_started_it_may_leave_first(data_dir: Path, join: Callable[[], User]) -> None:
    first, second = join(), join()
    first.heard()
    dsn = second.heard()
    first.leave()
    assert ask(dsn, "select 1") == 1
    second.leave()
    assert stopped(data_dir)


def test_two_uses_in_one_process_count_as_two(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as dsn:
        with embedded_postgres(data_dir):
            pass
        assert ask(dsn, "select 1") == 1
    assert stopped(data_dir)


def test_first_starts_at_once_make_one_server(empty_dir: Path) -> None:
    with contextlib.ExitStack() as stack:
        users = [stack.enter_context(User(empty_dir)) for _ in range(4)]
        dsns = {user.heard() for user in users}
        assert len(dsns) == 1
        assert ask(dsns.pop(), "select 1") == 1
        for user in users:
            assert not stopped(empty_dir)
            user.leave()
    assert stopped(empty_dir)


def test_a_server_left_by_a_killed_user_is_joined_and_stopped_by_the_last_living_one(
    data_dir: Path, join: Callable[[], User]
) -> None:
    serve = join()
    serve.heard()
    number = server(data_dir)
    serve.kill()
    assert not stopped(data_dir)
    with embedded_postgres(data_dir) as dsn:
        assert server(data_dir) == number
        assert ask(dsn, "select 1") == 1
    assert stopped(data_dir)


def test_a_killed_server_is_started_again_with_all_that_was_committed(
    data_dir: Path, join: Callable[[], User]
) -> None:
    serve = join()
    dsn = serve.heard()
    ask(dsn, "create table kept as select generate_series(1, 1000) as number")
    kill_server(data_dir)
    with embedded_postgres(data_dir) as again:
        assert ask(again, "select count(*) from kept") == 1000
        serve.leave()
        assert ask(again, "select 1") == 1
    assert stopped(data_dir)


def test_user_and_server_killed_together(data_dir: Path, join: Callable[[], User]) -> None:
    serve = join()
    serve.heard()
    serve.kill()
    kill_server(data_dir)
    with embedded_postgres(data_dir) as dsn:
        assert ask(dsn, "select 1") == 1


def test_no_second_server_beside_a_process_of_the_killed_one(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifetime, "_RESTART_DEADLINE_S", 0.2)
    with embedded_postgres(data_dir) as dsn:
        number = server(data_dir)
        find = "select pid from pg_stat_activity where backend_type = 'checkpointer'"
        child = int(str(ask(dsn, find)))
        os.kill(child, signal.SIGSTOP)
        try:
            kill_server(data_dir)
            (data_dir / "postgres" / "postmaster.pid").unlink()
            with (
                pytest.raises(EmbeddedPostgresError, match=r"shared memory block .* still in use"),
                embedded_postgres(data_dir),
            ):
                pass
        finally:
            os.kill(child, signal.SIGKILL)
        monkeypatch.undo()
        with embedded_postgres(data_dir) as again:
            assert ask(again, "select 1") == 1
            assert server(data_dir) != number


def test_a_pid_file_whose_number_is_a_strangers_now_is_no_server(data_dir: Path) -> None:
    """As after the restart of a container, where numbers are few."""
    cluster = data_dir / "postgres"
    owner = cluster.stat()
    as_root = os.geteuid() == 0
    with subprocess.Popen(
        ["/bin/cat"], stdin=subprocess.PIPE, user=owner.st_uid if as_root else None
    ) as stranger:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            pid_file = cluster / name
            pid_file.write_text(f"{stranger.pid}\n{cluster}\n1\n5432\n.\n\n  1  1\nready   \n")
            os.chown(pid_file, owner.st_uid, owner.st_gid)
        with embedded_postgres(data_dir) as dsn:
            assert ask(dsn, "select 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_what_a_broken_off_creation_left_is_made_anew(own_data_dir: Path) -> None:
    (own_data_dir / "postgres").rename(own_data_dir / "postgres.new")
    (own_data_dir / "postgres.new" / "PG_VERSION").unlink()
    with embedded_postgres(own_data_dir) as dsn:
        assert ask(dsn, "select 1") == 1


def test_ctrl_c_reaches_the_user_and_not_the_server(
    data_dir: Path, join: Callable[[], User]
) -> None:
    serve = join()
    dsn = serve.heard()
    os.killpg(serve.process.pid, signal.SIGINT)
    assert serve.heard() == "interrupted"
    assert ask(dsn, "select 1") == 1
    serve.leave()
    assert stopped(data_dir)


def test_ctrl_c_while_the_server_starts_leaves_none(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lifetime._Server._run
    starting: list[threading.Thread] = []

    def interrupted(server: lifetime._Server, program: str, *args: str, **how: Any) -> object:
        if "start" not in args:
            return run(server, program, *args, **how)
        thread = threading.Thread(target=run, args=(server, program, *args), kwargs=how)
        thread.start()
        starting.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(lifetime._Server, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt), embedded_postgres(data_dir):
        pass
    assert stopped(data_dir)
    for thread in starting:
        thread.join()


def test_a_failing_block_leaves_too(data_dir: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), embedded_postgres(data_dir):
        raise ZeroDivisionError
    assert stopped(data_dir)


def test_a_throwaway_folder_goes_with_the_server_that_was_left_on_it() -> None:
    with throwaway_data_dir() as folder, User(folder) as demo:
        demo.heard()
        demo.kill()
        number = server(folder)
        assert alive(number)
    assert not alive(number)
    assert not folder.exists()
