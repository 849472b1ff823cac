"""Settings: read once, from `SHOPDSR_*` variables."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from api.ports import Limits
from infra.embedded import default_data_dir
from infra.postgres.database import PoolLimits

PREFIX = "SHOPDSR_"
TEST_PREFIX = "SHOPDSR_TEST_"

Address = Annotated[str, Meta(pattern=r"^(postgres(ql)?://.*)?$", title="`postgresql://…`")]
Origins = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s,/]+(,https?://[^\s,/]+)*)?$(?!\n)",
        title="origins such as `https://shop.example`, with commas between them",
    ),
]
Host = Annotated[str, Meta(min_length=1, title="an IP address or a name")]
Folder = Annotated[str, Meta(title="a path")]
Milliseconds = Annotated[int, Meta(ge=1, le=3_600_000)]
Bytes = Annotated[int, Meta(ge=1, le=1 << 40)]
Events = Annotated[int, Meta(ge=1, le=100_000)]


class BadSetting(Exception):
    """Unknown variables, or values that do not fit; the message names each."""


class Settings(msgspec.Struct, frozen=True):
    """All settings; each field is the variable `SHOPDSR_<FIELD>`."""

    database_url: Annotated[
        Address, Meta(description="Postgres to use; when empty, the embedded Postgres")
    ] = ""
    data_dir: Annotated[
        Folder,
        Meta(
            description="Folder of the embedded Postgres; when empty, `/var/lib/shopdsr` for root, "
            "`~/.local/share/shopdsr` for other users"
        ),
    ] = ""
    data_may_be_lost: Annotated[
        bool, Meta(description="Accept a Postgres that may lose transactions it has confirmed")
    ] = False
    host: Annotated[Host, Meta(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535, description="Port to listen on")] = 8000
    workers: Annotated[int, Meta(ge=1, le=64, description="Processes that serve requests")] = 1
    connections: Annotated[
        int,
        Meta(
            ge=1,
            le=65_536,
            description="Client connections that each worker serves at once; further ones wait",
        ),
    ] = 4_096
    header_timeout_ms: Annotated[
        int,
        Meta(
            ge=100,
            le=60_000,
            description="Milliseconds to wait for the head of a request, "
            "and for the next request on a connection",
        ),
    ] = 10_000
    header_bytes: Annotated[
        int,
        Meta(
            ge=8_192,
            le=1_048_576,
            description="Bytes of a request's head that are always taken; twice as many never are",
        ),
    ] = 65_536
    drain_notice_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=60_000,
            description="Milliseconds after SIGTERM in which `/readyz` answers 503 "
            "and all else is still served",
        ),
    ] = 1_000
    drain_timeout_s: Annotated[
        int,
        Meta(
            ge=1,
            le=3_600,
            description="Seconds after SIGTERM until workers that still answer are killed",
        ),
    ] = 7
    pool_connections: Annotated[
        int, Meta(ge=1, le=1_000, description="Connections to Postgres of each worker")
    ] = 10
    acquire_timeout_ms: Annotated[
        Milliseconds, Meta(description="Milliseconds to wait for a connection to Postgres")
    ] = 5_000
    statement_timeout_ms: Annotated[
        Milliseconds, Meta(description="Milliseconds that a statement may run")
    ] = 30_000
    lock_timeout_ms: Annotated[
        Milliseconds, Meta(description="Milliseconds that a statement may wait for a lock")
    ] = 10_000
    statement_cache: Annotated[
        bool,
        Meta(
            description="Keep prepared statements and settings in sessions; must be off behind a "
            "pooler as pgbouncer: each transaction then sets its role, isolation and timeouts"
        ),
    ] = True
    snapshot_interval_s: Annotated[
        int,
        Meta(ge=1, le=31_536_000, description="Seconds between scheduled peer snapshots"),
    ] = 3_600
    batch_events: Annotated[Events, Meta(description="Most events in a batch")] = 5_000
    batch_bytes: Annotated[Bytes, Meta(description="Largest batch, in bytes, uncompressed")] = (
        8_388_608
    )
    event_bytes: Annotated[
        Bytes,
        Meta(description="Largest event, alone, in a batch or NDJSON line, in bytes, uncompressed"),
    ] = 524_288
    stream_bytes: Annotated[
        Bytes, Meta(description="Largest NDJSON body, in bytes, uncompressed")
    ] = 268_435_456
    stream_chunk_events: Annotated[
        Events, Meta(description="Events of an NDJSON body that are stored in one transaction")
    ] = 1_000
    body_timeout_ms: Annotated[
        Milliseconds, Meta(description="Milliseconds a body may take beyond its minimum rate")
    ] = 30_000
    body_bytes_per_s: Annotated[
        Bytes, Meta(description="Minimum rate of a body, in bytes per second, averaged over it")
    ] = 16_384
    incoming_bytes: Annotated[
        Bytes,
        Meta(
            description="Bytes of all bodies, and of the items decoded of them, that each worker "
            "holds at once, at least those of a batch; a request beyond them is answered 503"
        ),
    ] = 268_435_456
    waiting_events: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000_000,
            description="Events that wait in each worker to be stored; "
            "a request beyond them is answered 503",
        ),
    ] = 100_000
    rate_per_key: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Requests per second of an API key in each process; 0 means no limit",
        ),
    ] = 0

    cors_origins: Annotated[
        Origins,
        Meta(description="Origins whose pages may call the service from a browser; empty for none"),
    ] = ""
    definitions: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Most API keys that a tenant may have, and most ladders, sets of rules, "
            "and versions of a set",
        ),
    ] = 1_000
    shops: Annotated[
        int, Meta(ge=1, le=10_000_000, description="Most shops that a tenant may have")
    ] = 200_000

    @property
    def folder(self) -> Path:
        """The folder of the embedded Postgres."""
        return Path(self.data_dir) if self.data_dir else default_data_dir()

    @property
    def database_connections(self) -> int:
        """Connections to Postgres of all workers."""
        return self.workers * self.pool_connections

    @property
    def pool(self) -> PoolLimits:
        """Bounds of a worker's pool."""
        return PoolLimits(
            connections_max=self.pool_connections,
            acquire_timeout_ms=self.acquire_timeout_ms,
            statement_timeout_ms=self.statement_timeout_ms,
            lock_timeout_ms=self.lock_timeout_ms,
            statement_cache=self.statement_cache,
        )

    @property
    def limits(self) -> Limits:
        """Bounds on what one request may send."""
        return Limits(
            batch_events_max=self.batch_events,
            batch_bytes_max=self.batch_bytes,
            event_bytes_max=self.event_bytes,
            stream_bytes_max=self.stream_bytes,
            stream_chunk_events=self.stream_chunk_events,
            body_timeout_ms=self.body_timeout_ms,
            body_bytes_per_s=self.body_bytes_per_s,
            incoming_bytes_max=self.incoming_bytes,
            waiting_events_max=self.waiting_events,
            requests_per_s=self.rate_per_key or None,
            definitions_max=self.definitions,
            shops_max=self.shops,
        )


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of the environment, names that begin SHOPDSR_TEST_ aside.

    Raises BadSetting.
    """
    fields = {_variable(field): field for field in _fields()}
    given: dict[str, object] = {}
    faults = []
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name.startswith(TEST_PREFIX):
            continue
        field = fields.get(name)
        if field is None:
            faults.append(f"{name} is not a setting")
            continue
        try:
            setting = msgspec.convert({field.name: text}, Settings, strict=False)
        except msgspec.ValidationError:
            # Without the value, which may be a secret.
            faults.append(f"{name}: expected {_values(field)}")
        else:
            given[field.name] = getattr(setting, field.name)
    if faults:
        raise BadSetting("; ".join(faults))
    return msgspec.convert(given, Settings)


def settings_table() -> str:
    """Render every setting as a row of a Markdown table."""
    rows = ["| variable | meaning | values | default |", "|---|---|---|---|"]
    for field in _fields():
        default = msgspec.json.encode(field.default).decode().strip('"') or "empty"
        rows.append(
            f"| `{_variable(field)}` | {_meta(field)['description']} | {_values(field)} "
            f"| {default} |"
        )
    return "\n".join(rows)


def _fields() -> tuple[msgspec.inspect.Field, ...]:
    info = msgspec.inspect.type_info(Settings)
    assert isinstance(info, msgspec.inspect.StructType)
    return info.fields


def _variable(field: msgspec.inspect.Field) -> str:
    return PREFIX + field.name.upper()


def _meta(field: msgspec.inspect.Field) -> dict[str, str]:
    assert isinstance(field.type, msgspec.inspect.Metadata)
    return field.type.extra_json_schema or {}


def _values(field: msgspec.inspect.Field) -> str:
    """Return what fits a field: a range of numbers, or the title of its type."""
    match field.type:
        case msgspec.inspect.Metadata(type=msgspec.inspect.IntType(ge=low, le=high)):
            return f"{low} to {high}"
        case msgspec.inspect.Metadata(type=msgspec.inspect.BoolType()):
            return "`true` or `false`"
    return _meta(field)["title"]
