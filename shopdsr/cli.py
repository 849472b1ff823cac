"""The command line."""

import asyncio
import errno
import gzip
import os
import signal
import socket
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import resources
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import asyncpg
import click
import msgspec

from api.auth import make_key
from api.events import Tally, read_lines
from api.instants import InstantText
from domain.acts import COMMAND_LINE, Act, Entry
from domain.errors import NotFound, TooManyStored, Unavailable
from domain.events import Instant
from domain.keys import SCOPES, ApiKey, Scope
from domain.names import Name
from domain.recording import Submission
from infra.embedded import EmbeddedPostgresError
from infra.postgres.audit_trail import AuditTrail
from infra.postgres.causes import cause_of
from infra.postgres.database import Database, UnsafeDatabase, open_database
from infra.postgres.keys import Keys
from infra.postgres.ledger import Ledger
from infra.postgres.migrations import MigrationChanged
from infra.postgres.requirements import RequirementMissing
from infra.postgres.rules import RulesCache
from infra.postgres.schema import WrongSchema
from infra.postgres.shop_cache import ShopCache
from infra.postgres.verification import Verification
from shopdsr.database import (
    BadAddress,
    TooFewConnections,
    database_name,
    database_url,
    prepare,
)
from shopdsr.demo.command import demonstrate
from shopdsr.log import configure_log, trace_of
from shopdsr.port_holder import port_holder
from shopdsr.server import http_server
from shopdsr.settings import BadSetting, Settings, read_settings
from shopdsr.worker import clock

T = TypeVar("T")

READ_BYTES: Final = 256 * 1024
_GZIP: Final = b"\x1f\x8b"
"""The first bytes of every gzip file."""

_EXPLAINED = (
    BadAddress,
    EmbeddedPostgresError,
    UnsafeDatabase,
    TooFewConnections,
    MigrationChanged,
    WrongSchema,
    RequirementMissing,
)
"""Refusals whose text is one sentence for the operator."""


def _checked(
    kind: object, expected: str, *, listed: bool = False
) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Return a check of an option's text that is the same as over HTTP."""

    def check(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Any:
        if text is None:
            return None
        try:
            if kind is Instant:
                msgspec.convert(text, InstantText)
            return msgspec.convert(text.split(",") if listed else text, kind, strict=False)
        except msgspec.ValidationError:
            raise click.BadParameter(f"expected {expected}") from None

    return check


_NAME: Final = "1 to 64 letters, digits, or any of . _ ~ -"
_INSTANT: Final = "a future instant with its UTC offset, as in 2027-01-31T00:00:00Z"
_SCOPES: Final = f"one or more of {','.join(SCOPES)}"

_tenant = click.option(
    "--tenant",
    metavar="NAME",
    required=True,
    callback=_checked(Name, _NAME),
    help="Tenant, which must exist.",
)


class CommandFailed(click.ClickException):
    """A command could not do its work."""

    exit_code = 2
    """Not 1, which a command that did its work returns for totals or events it rejects."""


class _Commands(click.Group):
    """Commands that fail with one sentence, and without the message of a driver."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and explain its failure."""
        try:
            return super().invoke(ctx)
        except (click.UsageError, click.exceptions.Exit, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            ctx.exit(128 + signal.SIGINT)
        except click.ClickException as error:
            message = error.message
        except _EXPLAINED as error:
            message = str(error)
        except NotFound as error:
            message = f"There is no {error.what} {error.name}"
        except TooManyStored as error:
            message = f"The tenant has {error.count_max} {error.what}, as many as it may have"
        except Exception as error:  # noqa: BLE001 - its message may quote what was read
            message = "\n".join(["A fault of this program, by types and places:", *trace_of(error)])
        raise CommandFailed(message)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shopdsr")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Shop scores for storefront back-offices.

    Settings are environment variables SHOPDSR_…; without SHOPDSR_DATABASE_URL the service runs
    an embedded Postgres in its data folder. Every command may be used while `serve` runs.
    """
    try:
        ctx.obj = read_settings()
    except BadSetting as error:
        raise click.UsageError(str(error)) from None
    configure_log()
    # As an exception, so that all that is open is closed, the embedded Postgres included.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Background jobs of a shell inherit SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@main.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """Serve HTTP until Ctrl-C or SIGTERM."""
    address = _free_address(settings)
    with _database(settings, create=True, serve=True):
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        click.echo(f"Serving on http://{host}:{settings.port}", err=True)
        http_server(settings, address).serve()


@main.command()
@click.pass_obj
def demo(settings: Settings) -> None:
    """Serve a made-up world, and print its scores.

    The world is in a temporary folder, which is removed at the end.
    """
    _free_address(settings)
    demonstrate(settings, clock())


@main.command("migrate")
@click.pass_obj
def migrate_command(settings: Settings) -> None:
    """Bring the schema up to date, as `serve` does at its start."""
    with _database(settings, create=True) as (_, applied):
        click.echo("\n".join(applied) or "The schema is up to date.", err=True)


@main.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command("create")
@click.option(
    "--tenant",
    metavar="NAME",
    required=True,
    callback=_checked(Name, _NAME),
    help="Tenant of the key, created if there is none of this name.",
)
@click.option(
    "--scopes",
    metavar="SCOPE,…",
    required=True,
    callback=_checked(list[Scope], _SCOPES, listed=True),
    help=f"Scopes of the key: {_SCOPES}.",
)
@click.option(
    "--shops",
    metavar="ID,…",
    callback=_checked(list[Name], f"ids of shops, each {_NAME}", listed=True),
    help="The only shops that the key reaches; all shops without this option.",
)
@click.option(
    "--expires",
    metavar="INSTANT",
    callback=_checked(Instant, _INSTANT),
    help=f"When the key expires: {_INSTANT}.",
)
@click.pass_obj
def create_key(
    settings: Settings,
    tenant: str,
    scopes: list[Scope],
    shops: list[str] | None,
    expires: datetime | None,
) -> None:
    """Print a new API key, which is shown only this time."""
    now = clock()
    if expires and expires <= now:
        raise click.BadParameter(f"expected {_INSTANT}", param_hint="'--expires'")

    async def work(database: Database) -> str:
        port = Keys(database)
        text, stored = make_key(
            tenant_id=await port.make_tenant(tenant),
            scopes=list(dict.fromkeys(scopes)),
            shop_ids=shops and list(dict.fromkeys(shops)),
            expires_at=expires,
            now=now,
        )
        act = Act(stored.key.tenant_id, COMMAND_LINE, "keys create", now)
        await port.add(act, stored, settings.definitions)
        return text

    click.echo(_run(settings, work, create=True))


@keys.command("list")
@_tenant
@click.pass_obj
def list_keys(settings: Settings, tenant: str) -> None:
    """Print the keys of a tenant, newest first.

    Each line has the id, scopes and shops of a key, and when it expires or was revoked.
    """

    async def work(database: Database) -> list[ApiKey]:
        port = Keys(database)
        tenant_id = await port.find_tenant(tenant)
        return await port.page(tenant_id, None, after=None, limit=sys.maxsize)

    for key in _run(settings, work):
        shops = "all shops" if key.shop_ids is None else ",".join(key.shop_ids)
        if key.revoked_at:
            end = f"revoked {key.revoked_at:%Y-%m-%dT%H:%M:%SZ}"
        elif key.expires_at:
            end = f"expires {key.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        else:
            end = "never expires"
        click.echo(f"{key.key_id}\t{','.join(key.scopes)}\t{shops}\t{end}")


@keys.command("revoke")
@_tenant
@click.argument("key_id")
@click.pass_obj
def revoke_key(settings: Settings, tenant: str, key_id: str) -> None:
    """Revoke a key by the id that `keys list` shows."""

    async def work(database: Database) -> None:
        port = Keys(database)
        tenant_id = await port.find_tenant(tenant)
        await port.revoke(Act(tenant_id, COMMAND_LINE, "keys revoke", clock()), key_id, None)

    _run(settings, work)


@main.command("import")
@_tenant
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_events(settings: Settings, tenant: str, file: Path) -> None:
    """Record the events of FILE as if they were posted.

    FILE is NDJSON, which may be compressed with gzip; importing it again changes nothing. Prints
    how many events were stored, known before and refused, and on stderr the refused ones, each with
    its line. Exits with 1 when any event was refused, and with 2 when not all of the file could be
    recorded.
    """

    async def work(database: Database) -> Tally:
        ledger = Ledger(database, ShopCache(database, RulesCache()))
        tenant_id = await Keys(database).find_tenant(tenant)
        tally = Tally()
        async for items in read_lines(_parts(file), settings.limits):
            submission = Submission(tenant_id, None, items)
            [outcomes] = await ledger.record([await ledger.prepare(submission, clock())])
            tally.add(items, outcomes)
        return tally

    received = _run(settings, work).received_all()
    lines = _lines(file, {rejected.index for rejected in received.rejected})
    for rejected in received.rejected:
        shown = {"line": lines[rejected.index], **msgspec.structs.asdict(rejected)}
        click.echo(msgspec.json.encode(shown), err=True)
    click.echo(
        f"{received.received} events: {received.stored} stored, "
        f"{received.duplicates} known before, {received.rejected_count} refused"
    )
    sys.exit(1 if received.rejected_count else 0)


@main.command()
@click.option(
    "--repair", is_flag=True, help="Replace stored totals that differ by the recounted ones."
)
@click.pass_obj
def verify(settings: Settings, *, repair: bool) -> None:
    """Recount all stored totals from the facts, and print differences.

    Exits with 1 when any total differed and was not repaired, and with 2 when not every shop
    could be recounted.
    """

    async def work(database: Database) -> tuple[int, int]:
        shops = wrong = 0
        async for shop in Verification(database, ShopCache(database, RulesCache())).shops(
            clock(), mend=repair
        ):
            shops += 1
            wrong += bool(shop.differences)
            for difference in shop.differences:
                click.echo(
                    f"tenant {shop.tenant} shop {shop.shop_id} {difference.table} "
                    f"{difference.key}: stored {difference.stored}, "
                    f"recounted {difference.recounted}"
                )
        return shops, wrong

    shops, wrong = _run(settings, work)
    click.echo(f"{shops} shops recounted, {wrong} {'repaired' if repair else 'wrong'}", err=True)
    sys.exit(1 if wrong and not repair else 0)


@main.command("audit")
@_tenant
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=50,
    show_default=True,
    help="Most lines to print.",
)
@click.pass_obj
def print_audit_trail(settings: Settings, tenant: str, limit: int) -> None:
    """Print the audit trail of a tenant, newest first.

    Each line has the instant, the key, the act and the ids that it changed.
    """

    async def work(database: Database) -> list[Entry]:
        tenant_id = await Keys(database).find_tenant(tenant)
        return await AuditTrail(database).page(tenant_id, limit)

    for entry in _run(settings, work):
        on = ",".join(entry.on)
        click.echo(f"{entry.at:%Y-%m-%dT%H:%M:%SZ}\t{entry.who}\t{entry.what}\t{on}")


@main.command("openapi")
def print_openapi() -> None:
    """Print the contract, OpenAPI 3.1 in JSON."""
    click.echo((resources.files("openapi") / "v1.json").read_text("utf-8"), nl=False)


async def _parts(file: Path) -> AsyncIterator[bytes]:
    """Yield a file part by part, uncompressed, and show the progress on stderr."""
    with (
        file.open("rb") as raw,
        _inflated(raw) as inflated,
        click.progressbar(
            length=os.fstat(raw.fileno()).st_size, label=file.name, file=sys.stderr
        ) as bar,
    ):
        while part := _read(inflated, file):
            yield part
            bar.update(raw.tell() - bar.pos)


def _inflated(raw: BufferedReader) -> BufferedReader | gzip.GzipFile:
    """Return the text of a file, which is compressed if it begins as gzip does."""
    return gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == _GZIP else raw


def _lines(file: Path, indexes: Collection[int]) -> dict[int, int]:
    """Return the line of each event by its index; the first line is 1."""
    lines: dict[int, int] = {}
    line, index, is_blank = 1, 0, True
    with file.open("rb") as raw, _inflated(raw) as inflated:
        while len(lines) < len(indexes) and (part := _read(inflated, file)):
            for place, piece in enumerate(part.split(b"\n")):
                if place:
                    line, is_blank = line + 1, True
                if is_blank and piece.strip():
                    is_blank = False
                    if index in indexes:
                        lines[index] = line
                    index += 1
    return lines


def _read(inflated: IO[bytes] | gzip.GzipFile, file: Path) -> bytes:
    try:
        return inflated.read(READ_BYTES)
    except EOFError:
        cause = "it is cut short"
    except (gzip.BadGzipFile, zlib.error):
        cause = "it is damaged"
    except OSError as error:
        cause = error.strerror or type(error).__name__
    raise click.ClickException(
        f"{file} cannot be read to its end: {cause}. The events before that are recorded."
    )


@contextmanager
def _database(
    settings: Settings, *, create: bool = False, serve: bool = False
) -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a database with the right schema, and the migrations applied."""
    click.echo(f"Database: {database_name(settings)}", err=True)
    with database_url(settings, create=create, supervise=serve) as url:
        prepared = _until_done(prepare(settings, url, create=create, serve=serve))
        if prepared.newer:
            click.echo(f"Notice: {prepared.newer}", err=True)
        yield url, prepared.applied


def _run(
    settings: Settings, work: Callable[[Database], Awaitable[T]], *, create: bool = False
) -> T:
    async def with_database(url: str) -> T:
        async with open_database(url, settings.pool) as database:
            return await work(database)

    with _database(settings, create=create) as (url, _):
        return _until_done(with_database(url))


def _until_done(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except BrokenPipeError:  # of the standard output
        raise
    except (
        OSError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        Unavailable,
    ) as error:
        raise click.ClickException(f"The database cannot serve: {cause_of(error)}") from None


def _free_address(settings: Settings) -> str:
    """Return the IP address to listen on, whose port must be free."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        message = f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}"
        if error.errno == errno.EADDRINUSE:
            holder = port_holder(settings.port) or "another process"
            message += f" by {holder}: end it, or set another SHOPDSR_PORT"
        raise click.ClickException(message) from None
    return str(address[0])
