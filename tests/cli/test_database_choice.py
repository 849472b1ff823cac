"""Which database a command speaks to, and which it refuses."""

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from infra.postgres import schema
from infra.postgres.migrations import Migration, migrations
from infra.postgres.schema import WrongSchema, require_schema
from shopdsr.database import BadAddress, database_name
from shopdsr.settings import Settings
from tests.harness.postgres import execute
from tests.harness.processes import free_port
from tests.harness.server import Shell

READING = [
    ["verify"],
    ["verify", "--repair"],
    ["keys", "list", "--tenant", "acme"],
    ["keys", "revoke", "--tenant", "acme", "0000"],
    ["audit", "--tenant", "acme"],
    ["import", "--tenant", "acme", "FILE"],
]
"""Every command that works on a database and must not make one."""

LATER_MIGRATION = "insert into schema_migrations (name, sha256) values ('9999_later', '')"

ids = [" ".join(part for part in command if part.islower()) for command in READING]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Make a file without events."""
    made = tmp_path / "events.ndjson"
    made.touch()
    return made


@pytest.fixture(params=READING, ids=ids)
def command(request: pytest.FixtureRequest, file: Path) -> list[str]:
    """Return a command that must not make a database."""
    return [str(file) if part == "FILE" else part for part in request.param]


def as_user(url: str, user: str) -> str:
    """Return the address of a database for another user."""
    address = urlsplit(url)
    return urlunsplit(address._replace(netloc=f"{user}@{address.netloc.rpartition('@')[2]}"))


def refusal(shell: Shell, command: list[str]) -> str:
    """Run a command that fails, and return the sentence on its standard error."""
    ended = shell.run(*command)
    assert (ended.returncode, ended.stdout) == (2, "")
    database, error = ended.stderr.splitlines()
    assert database.startswith("Database: ")
    assert error.startswith("Error: ")
    return error.removeprefix("Error: ")


def test_a_data_folder_that_is_not_there_is_refused_and_not_made(
    command: list[str], own_folder: Path
) -> None:
    folder = own_folder / "mistyped"
    sentence = refusal(Shell(data_dir=folder), command)
    assert sentence == (
        f"there is no data in {folder}: name the folder or the database that is meant, or make "
        "a first one with `shopdsr serve`"
    )
    assert not folder.exists()


def test_an_empty_data_folder_stays_empty(own_folder: Path) -> None:
    sentence = refusal(Shell(data_dir=own_folder), ["verify"])
    assert sentence.startswith(f"there is no data in {own_folder}: ")
    assert not list(own_folder.iterdir())


async def test_a_database_without_a_schema_is_refused_and_left_alone(
    command: list[str], empty_url: str
) -> None:
    sentence = refusal(Shell(database_url=empty_url), command)
    assert sentence.startswith("the database holds no schema of shopdsr: ")
    connection = await asyncpg.connect(empty_url)
    tables = "select count(*) from pg_tables where schemaname = 'public'"
    assert await connection.fetchval(tables) == 0
    await connection.close()


async def test_a_schema_newer_than_the_program_is_refused(database_url: str) -> None:
    """Else `verify` would pass over what only the later release knows."""
    await execute(database_url, LATER_MIGRATION)
    sentence = refusal(Shell(database_url=database_url), ["verify"])
    assert sentence.startswith("the schema is newer than this program (it has 9999_later): ")


async def test_a_server_starts_on_a_newer_schema_and_says_so(database_url: str) -> None:
    """As in a deploy by turns: each migration works with the release before it."""
    await execute(database_url, LATER_MIGRATION)
    with Shell(database_url=database_url).serve() as server:
        assert server.stop() == 0
        assert "the schema is newer than this program (it has 9999_later)\n" in server.stderr


async def test_a_schema_older_than_the_program_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Migration("9999_later", "0" * 64, [])
    monkeypatch.setattr(schema, "migrations", lambda: (*migrations(), later))
    connection = await asyncpg.connect(database_url)
    with pytest.raises(WrongSchema, match=r"is older than this program: .* `shopdsr migrate`"):
        await require_schema(connection)
    await connection.close()


async def test_a_migration_that_was_changed_is_refused(database_url: str) -> None:
    name = migrations()[-1].name
    await execute(database_url, f"update schema_migrations set sha256 = '' where name = '{name}'")
    sentence = refusal(Shell(database_url=database_url), ["verify"])
    assert sentence == f"{name} was changed after it had been applied"


async def test_a_user_who_may_not_act_as_the_role_of_the_service_is_refused(
    database_url: str,
) -> None:
    user = urlsplit(database_url).path.removeprefix("/") + "_user"
    await execute(database_url, f"create role {user} login")
    try:
        await execute(database_url, f"grant select on schema_migrations to {user}")
        url = as_user(database_url, user)
        sentence = refusal(Shell(database_url=url), ["verify"])
        assert sentence == (
            "the user of the database may not act as the role shopdsr_service: grant the role to "
            "the user, and create it before if there is none"
        )
    finally:
        await execute(database_url, f"drop owned by {user}")
        await execute(database_url, f"drop role {user}")


def test_every_command_says_which_database_it_speaks_to(
    shell: Shell, folder: Path, file: Path
) -> None:
    key_id = shell.create_key().split("_")[1]
    creating = [["migrate"], ["keys", "create", "--tenant", "acme", "--scopes", "admin"]]
    for command in [*READING, *creating]:
        given = {"FILE": str(file), "0000": key_id}
        ended = shell.run(*(given.get(part, part) for part in command))
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr.splitlines()[0] == f"Database: the embedded Postgres in {folder}"


def test_the_password_is_not_among_what_is_said(database_url: str) -> None:
    split = urlsplit(database_url)
    user = split.username or "postgres"
    url = as_user(database_url, f"{user}:{split.password or 'secret-word'}")
    ended = Shell(database_url=url).run("verify")
    assert ended.returncode == 0
    assert re.fullmatch(rf"Database: [^@]+:\d+{split.path}", ended.stderr.splitlines()[0])
    assert (split.password or "secret-word") not in ended.stderr


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://db.example/shop", "db.example:5432/shop"),
        ("postgres://ada:pw@db.example:6543/shop", "db.example:6543/shop"),
        ("postgresql://ada:p%2Fw%40@[::1]:6543/shop", "[::1]:6543/shop"),
        ("postgresql://ada@[::1]/shop", "[::1]:5432/shop"),
        ("postgresql://ada:pw@a:1,b:2/shop?sslmode=require", "a:1,b:2/shop"),
        ("postgresql:///shop?host=/run/pg&port=6543&password=pw", "/run/pg:6543/shop"),
        ("postgresql://?dbname=shop&user=ada@corp", None),
        ("postgresql:///?dbname=shop&user=ada@corp", "localhost:5432/shop"),
        ("postgresql:///?service=shop", "the service shop of the connection service file"),
        ("postgresql://word", "the default database of the host in SHOPDSR_DATABASE_URL"),
        ("postgresql://ada:p/w@db.example/shop", None),
        ("postgresql://ada:1/w@db.example/shop", None),
        ("postgresql://ada:p?w@db.example/shop", None),
        ("postgresql://ada:1?w=w@db.example/shop", None),
        ("postgresql://ada:p#w@db.example/shop", None),
        ("postgresql://ada:p@w@db.example/shop", None),
        ("postgresql://[ada:pw@db.example/shop", None),
    ],
)
def test_an_address_is_shown_without_a_password_or_refused(
    url: str, shown: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("PGHOST", "PGPORT", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(variable, raising=False)
    settings = Settings(database_url=url)
    if shown is None:
        with pytest.raises(BadAddress):
            database_name(settings)
    else:
        assert database_name(settings) == shown


def test_what_the_environment_adds_to_an_address_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATABASE", "shop")
    assert database_name(Settings(database_url="postgresql://")) == "db.example:6543/shop"


def test_what_keeps_a_database_from_serving_is_said_in_plain_words(
    database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    missing = database_url.replace(urlsplit(database_url).path, "/no_such_database")
    cases = {
        f"postgresql://nobody@127.0.0.1:{port}/none": "nothing listens at its address",
        "postgresql://nobody@no-such-host.invalid/none": "the name of its host is not known",
        f"postgresql:///none?host={tmp_path}": "nothing listens at its address",
        missing: "there is no database of this name",
        as_user(database_url, "no_such_user"): ("it does not accept this user and password"),
    }
    for url, cause in cases.items():
        sentence = refusal(Shell(database_url=url), ["verify"])
        assert sentence == f"The database cannot serve: {cause}", url


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shell = Shell(
            database_url=f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none",
            acquire_timeout_ms=500,
        )
        sentence = refusal(shell, ["verify"])
    assert sentence == "The database cannot serve: it does not answer in time"
