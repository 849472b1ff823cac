"""The command line."""

import asyncio
import gzip
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import contextmanager
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import IO, Any

import asyncpg
import click
import msgspec
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from api.auth import make_key
from api.events import Received, Tally, read_lines
from domain.errors import NotFound
from domain.events import Instant
from domain.keys import SCOPES, Scope
from domain.names import Name
from domain.recording import Submission
from infra.embedded import EmbeddedPostgresError
from infra.postgres.audit import Audit
from infra.postgres.database import Database, UnsafeDatabase, open_database
from infra.postgres.keys import Keys
from infra.postgres.rules import RuleBook
from shopdsr.app import open_context
from shopdsr.database import database_url, prepare
from shopdsr.settings import BadSetting, Settings, read_settings
from shopdsr.worker import clock

HEADER_TIMEOUT_MS = 10_000
READ_BYTES = 256 * 1024


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shopdsr")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Shop scores for storefront back-offices."""
    try:
        ctx.obj = read_settings()
    except BadSetting as error:
        raise click.UsageError(str(error)) from None
    # As an exception, so that whatever is open is closed, the embedded Postgres included.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@main.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """Serve HTTP until Ctrl-C or SIGTERM."""
    _refuse_taken_port(settings)
    with _database(settings):
        click.echo(f"Serving on http://{settings.host}:{settings.port}", err=True)
        Granian(
            "shopdsr.worker:worker",
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.host,
            port=settings.port,
            workers=settings.workers,
            websockets=False,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
            respawn_failed_workers=True,
            log_enabled=False,
        ).serve()


@main.command("migrate")
@click.pass_obj
def migrate_command(settings: Settings) -> None:
    """Bring the schema up to date."""
    with _database(settings) as (_, applied):
        click.echo("\n".join(applied) or "The schema is up to date.", err=True)


@main.group()
def keys() -> None:
    """API keys, made here first and then over HTTP."""


@keys.command("create")
@click.option("--tenant", required=True, help="Made if there is none of this name.")
@click.option("--scopes", required=True, help=f"Of {','.join(SCOPES)}, with commas between.")
@click.option("--shops", help="Ids of the only shops it reaches, with commas between.")
@click.option("--expires", help="When it ends, as in 2027-01-31T00:00:00Z.")
@click.pass_obj
def create_key(
    settings: Settings, tenant: str, scopes: str, shops: str | None, expires: str | None
) -> None:
    """Print a new API key, alone on one line."""
    _given("--tenant", tenant, Name)
    granted: list[Scope] = _given("--scopes", scopes.split(","), list[Scope])
    reached: list[str] | None = (
        None if shops is None else _given("--shops", shops.split(","), list[Name])
    )
    until: datetime | None = None if expires is None else _given("--expires", expires, Instant)

    async def work(database: Database) -> str:
        kept = Keys(database)
        text, stored = make_key(
            tenant_id=await kept.make_tenant(tenant),
            scopes=list(dict.fromkeys(granted)),
            shop_ids=reached,
            expires_at=until,
            now=clock(),
        )
        await kept.add(stored)
        return text

    click.echo(_run(settings, work))


@keys.command("list")
@click.option("--tenant", required=True)
@click.pass_obj
def list_keys(settings: Settings, tenant: str) -> None:
    """Print the keys of a tenant, newest first: id, scopes, shops, and when it ends or ended."""

    async def work(database: Database) -> list[str]:
        kept = Keys(database)
        lines = []
        for key in await kept.list(await kept.find_tenant(tenant)):
            end = "revoked" if key.revoked_at else f"expires {key.expires_at or 'never'}"
            shops = "all shops" if key.shop_ids is None else ",".join(key.shop_ids)
            lines.append(f"{key.key_id}\t{','.join(key.scopes)}\t{shops}\t{end}")
        return lines

    for line in _run(settings, work):
        click.echo(line)


@keys.command("revoke")
@click.option("--tenant", required=True)
@click.argument("key_id")
@click.pass_obj
def revoke_key(settings: Settings, tenant: str, key_id: str) -> None:
    """End a key, by the id that `keys list` shows."""

    async def work(database: Database) -> None:
        kept = Keys(database)
        await kept.revoke(await kept.find_tenant(tenant), key_id, clock())

    _run(settings, work)


@main.command("import")
@click.option("--tenant", required=True)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_events(settings: Settings, tenant: str, file: Path) -> None:
    """Record the events of FILE, NDJSON or gzipped NDJSON, as if they were posted.

    Exits with 1 when any event was refused.
    """
    with _database(settings) as (url, _):
        received = _until_done(_import(settings, url, tenant, file))
    for rejected in received.rejected:
        click.echo(msgspec.json.encode(rejected).decode(), err=True)
    click.echo(
        f"{received.received} events: {received.stored} stored, "
        f"{received.duplicates} known before, {received.rejected_count} refused"
    )
    sys.exit(1 if received.rejected_count else 0)


@main.command()
@click.option("--repair", is_flag=True, help="Put right what differs.")
@click.pass_obj
def verify(settings: Settings, *, repair: bool) -> None:
    """Recount every stored total of every shop from the facts, and print what differs.

    Exits with 1 when anything differed and was not repaired.
    """

    async def work(database: Database) -> tuple[int, int]:
        shops = wrong = 0
        async for audited in Audit(database, RuleBook()).shops(clock(), mend=repair):
            shops += 1
            wrong += bool(audited.differences)
            for difference in audited.differences:
                click.echo(
                    f"tenant {audited.tenant_id} shop {audited.shop_id} {difference.table} "
                    f"{difference.key}: stored {difference.stored}, "
                    f"recounted {difference.recounted}"
                )
        return shops, wrong

    shops, wrong = _run(settings, work)
    click.echo(f"{shops} shops recounted, {wrong} {'repaired' if repair else 'wrong'}", err=True)
    sys.exit(1 if wrong and not repair else 0)


@main.command("openapi")
def print_openapi() -> None:
    """Print the contract."""
    click.echo((resources.files("openapi") / "v1.json").read_text("utf-8"), nl=False)


async def _import(settings: Settings, url: str, tenant: str, file: Path) -> Received:
    tally = Tally()
    async with open_context(url, settings.pool, settings.limits, clock) as context:
        async with open_database(url, settings.pool) as database:
            tenant_id = await Keys(database).find_tenant(tenant)
        with (
            file.open("rb") as raw,
            click.progressbar(length=file.stat().st_size, label=file.name, file=sys.stderr) as bar,
        ):
            text = gzip.open(raw) if file.suffix == ".gz" else raw
            async for items in read_lines(_parts(text), settings.limits):
                submission = Submission(tenant_id, None, [event for _, event in items])
                [outcomes] = await context.ledger.record([submission], clock())
                tally.add(items, outcomes)
                bar.update(raw.tell() - bar.pos)
    return tally.received_all()


async def _parts(file: IO[bytes] | gzip.GzipFile) -> AsyncIterator[bytes]:
    while part := file.read(READ_BYTES):
        yield part


@contextmanager
def _database(settings: Settings):  # type: ignore[no-untyped-def]
    """The address of a database whose schema is current, and the steps that made it so."""
    try:
        with database_url(settings) as url:
            yield url, _until_done(prepare(url))
    except (EmbeddedPostgresError, UnsafeDatabase) as error:
        raise click.ClickException(str(error)) from None


def _run(settings: Settings, work: Any) -> Any:
    async def with_database(url: str) -> Any:
        async with open_database(url, settings.pool) as database:
            return await work(database)

    with _database(settings) as (url, _):
        return _until_done(with_database(url))


def _until_done(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(work)
    except NotFound as error:
        raise click.ClickException(f"There is no {error.what} {error.name}") from None
    except (OSError, asyncpg.PostgresError, gzip.BadGzipFile) as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from None


def _given(option: str, value: object, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _refuse_taken_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise click.ClickException(
                f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            ) from None
