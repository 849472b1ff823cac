"""What the server is told to do, and what its log never holds."""

import contextlib
from pathlib import Path

import asyncpg
import pytest

from infra.embedded import SETTINGS, embedded_postgres, lifetime


async def test_every_setting_is_on(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as dsn:
        connection = await asyncpg.connect(dsn)
        try:
            for name, value in SETTINGS.items():
                shown = await connection.fetchval(f"show {name}")
                if value.endswith("MB"):
                    same = "select pg_size_bytes($1) = pg_size_bytes($2)"
                    assert await connection.fetchval(same, value, shown), name
                else:
                    assert shown == value, name
            assert await connection.fetchval("show data_checksums") == "on"
            assert await connection.fetchval("show server_encoding") == "UTF8"
            collation = "select datlocale from pg_database where datname = current_database()"
            assert await connection.fetchval(collation) == "C.UTF-8"
        finally:
            await connection.close()


async def test_the_environment_of_a_user_does_not_lead_astray(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPORT", "PGHOST", "PGDATABASE", "PGUSER", "PGDATA", "LC_ALL", "TZ"):
        monkeypatch.setenv(name, "1234")
    with embedded_postgres(data_dir) as dsn:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("select current_user") == "postgres"
        await connection.close()


async def test_a_role_without_rights_can_log_in(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute("create role clerk login")
        await connection.close()
        connection = await asyncpg.connect(dsn, user="clerk")
        assert await connection.fetchval("select current_user") == "clerk"
        await connection.close()


async def test_the_log_holds_no_values_and_no_statements(data_dir: Path) -> None:
    with embedded_postgres(data_dir) as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute("create table note (body text primary key, check (body <> ''))")
        for _ in range(2):
            with contextlib.suppress(asyncpg.UniqueViolationError):
                await connection.execute("insert into note values ($1)", "secret-word")
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.execute("select 'secret-word'::int")
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.fetchval("select $1::text::int", "secret-word")
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.execute("select 'secret-word' from no_such_table")
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            await connection.execute("select pg_terminate_backend(pg_backend_pid()), 'secret-word'")
        connection.terminate()
    log = (data_dir / "postgres" / "server.log").read_text()
    assert "ready to accept connections" in log
    assert "secret-word" not in log
    assert "note" not in log


def test_pages_are_kept_in_a_quarter_of_the_memory_there_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(lifetime, "_MEMORY_LIMIT", limit)
    unlimited = lifetime.memory_settings()
    limit.write_text("max\n")
    assert lifetime.memory_settings() == unlimited
    limit.write_text(f"{2**30}\n")
    assert lifetime.memory_settings() == {
        "shared_buffers": "256MB",
        "effective_cache_size": "512MB",
    }
