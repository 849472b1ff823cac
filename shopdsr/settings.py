"""Settings: read once, from `SHOPDSR_*` variables."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from api.context import Limits
from infra.embedded import default_data_dir
from infra.postgres.database import PoolLimits

PREFIX = "SHOPDSR_"
TEST_PREFIX = "SHOPDSR_TEST_"

Milliseconds = Annotated[int, Meta(ge=1, le=3_600_000)]
Bytes = Annotated[int, Meta(ge=1, le=1 << 40)]


class BadSetting(Exception):
    """A variable that is unknown, or whose value does not fit; the message names it."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set; each field is the variable `SHOPDSR_<FIELD>`."""

    database_url: Annotated[
        str, Meta(description="Postgres to use; empty: the embedded one")
    ] = ""
    data_dir: Annotated[
        str,
        Meta(
            description="folder of the embedded Postgres; "
            "empty: `/var/lib/shopdsr` as root, else `~/.local/share/shopdsr`"
        ),
    ] = ""
    host: Annotated[str, Meta(min_length=1, description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535, description="port to listen on")] = 8000
    workers: Annotated[int, Meta(ge=1, le=64, description="worker processes")] = 1
    pool_connections: Annotated[
        int, Meta(ge=1, le=1_000, description="connections to Postgres, a worker")
    ] = 10
    acquire_timeout_ms: Annotated[
        Milliseconds, Meta(description="longest wait for a connection")
    ] = 5_000
    statement_timeout_ms: Annotated[
        Milliseconds, Meta(description="longest run of one statement")
    ] = 30_000
    statement_cache: Annotated[
        bool, Meta(description="prepared statements; off behind a pooler in transaction mode")
    ] = True
    batch_events: Annotated[
        int, Meta(ge=1, le=100_000, description="most events in one batch")
    ] = 5_000
    batch_bytes: Annotated[Bytes, Meta(description="largest batch, inflated")] = 8_388_608
    event_bytes: Annotated[
        Bytes, Meta(description="largest single event or NDJSON line, inflated")
    ] = 65_536
    stream_bytes: Annotated[Bytes, Meta(description="largest NDJSON body, inflated")] = 268_435_456
    stream_chunk_events: Annotated[
        int, Meta(ge=1, le=100_000, description="events of an NDJSON body in one transaction")
    ] = 1_000
    body_timeout_ms: Annotated[
        Milliseconds, Meta(description="longest silence while a body is coming in")
    ] = 30_000

    @property
    def folder(self) -> Path:
        """The folder of the embedded Postgres."""
        return Path(self.data_dir) if self.data_dir else default_data_dir()

    @property
    def pool(self) -> PoolLimits:
        """Bounds of a worker's pool."""
        return PoolLimits(
            connections_max=self.pool_connections,
            acquire_timeout_ms=self.acquire_timeout_ms,
            statement_timeout_ms=self.statement_timeout_ms,
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
        )


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment; names that begin SHOPDSR_TEST_ are the tests'.

    Raises BadSetting.
    """
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)
    }
    known = {field.name for field in msgspec.structs.fields(Settings)}
    for name in given.keys() - known:
        raise BadSetting(f"{PREFIX}{name.upper()} is not a setting")
    for name, value in given.items():
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError as error:
            detail = str(error).partition(" - at ")[0]
            raise BadSetting(f"{PREFIX}{name.upper()}={value}: {detail}") from None
    return msgspec.convert(given, Settings, strict=False)
