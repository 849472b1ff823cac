"""References that speak to Postgres itself: COPY, and one row a commit."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import islice

import asyncpg

from benchmarks.drawing import COLUMNS, Drawing, Record, Records, copy_payload
from benchmarks.driver import Tally, requests_bound
from benchmarks.load import Load

SCHEMA = "reference"
_INSERT = (
    f"insert into {SCHEMA}.ratings ({', '.join(COLUMNS)}) "  # noqa: S608
    f"values ({', '.join(f'${place}' for place in range(1, len(COLUMNS) + 1))})"
)


async def prepare(load: Load) -> Iterator[bytes] | Iterator[Record]:
    """The batches or rows of a load; rows of a batch are sorted by key, as the service's are."""
    connection = await asyncpg.connect(load.database_url)
    try:
        rows = await connection.fetch(
            "select shop_key from shops where shop_id = any($1::text[])", load.subjects
        )
    finally:
        await connection.close()
    drawing = Drawing(load.prefix, len(rows))
    record = Records(drawing, [row["shop_key"] for row in rows])
    supply = map(record, drawing)
    if load.recipe == "insert":
        return iter([next(supply) for _ in range(requests_bound(load))])
    return iter(
        [
            copy_payload(sorted(islice(supply, load.batch), key=lambda row: row[:2]))
            for _ in range(requests_bound(load))
        ]
    )


async def run(load: Load, prepared: Iterator[bytes] | Iterator[Record]) -> Tally:
    """Each connection commits one batch or row after another."""
    tally = Tally(load, prepared)  # type: ignore[arg-type]
    connections = [await asyncpg.connect(load.database_url) for _ in range(load.connections)]
    works = [await _work(load, connection) for connection in connections]
    tally.start(time.perf_counter())
    await asyncio.gather(*(_drain(tally, work) for work in works))
    for connection in connections:
        await connection.close()
    tally.stored = tally.units_all
    return tally


async def _drain(tally: Tally, work: Callable[..., Awaitable[object]]) -> None:
    while (item := tally.next(since := time.perf_counter())) is not None:
        await work(item)
        tally.answered(since, time.perf_counter(), 200, b"{}")


async def _work(
    load: Load, connection: "asyncpg.Connection[asyncpg.Record]"
) -> Callable[..., Awaitable[object]]:
    if load.recipe == "insert":
        insert = await connection.prepare(_INSERT)

        async def commit(row: Record) -> object:
            return await insert.fetch(*row)

        return commit

    async def copy(payload: bytes) -> object:
        return await connection.copy_to_table(
            "ratings",
            schema_name=SCHEMA,
            columns=COLUMNS,
            format="binary",
            source=_one(payload),
        )

    return copy


async def _one(payload: bytes) -> AsyncIterator[bytes]:
    yield payload
