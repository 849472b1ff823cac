"""Statements outside of the service, and COPY beside it: the same rows into the same table."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import Any

import psycopg

from benchmarks.client import Failed, Timing
from benchmarks.worlds import batches

_AGGREGATE = """
select shop_key, count(*), sum(description), sum(service), sum(logistics)
from ratings where time > now() - interval '180 days' group by shop_key
"""
_REFERENCE = (
    "create schema reference",
    "create table reference.ratings (like ratings including all)",
    "insert into reference.ratings select * from ratings where review_id not like 'r-{}-%'",
    "vacuum (analyze) reference.ratings",
    "checkpoint",
)
_POSTED = """
copy (select * from ratings where review_id like 'r-{}-%' order by shop_key, review_id)
to stdout (format binary)
"""
_COPY = "copy reference.ratings from stdin (format binary)"
_HEAD, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_SLOW_FLUSHES = {"commit_delay": 1_000, "commit_siblings": 0}
"""A commit waits so many microseconds before its flush, also where no other one runs."""


def database(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return re.sub(r"/\w+\?", f"/{name}?", url)


def execute(url: str, *statements: str) -> None:
    """Execute statements one after another, each in a transaction of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def slow_flushes(url: str) -> Iterator[None]:
    """Let each flush of a commit take 1 ms longer, for the block."""
    reload = "select pg_reload_conf()"
    execute(url, *(f"alter system set {name} = {n}" for name, n in _SLOW_FLUSHES.items()), reload)
    try:
        yield
    finally:
        execute(url, *(f"alter system reset {name}" for name in _SLOW_FLUSHES), reload)


def fill_plain(url: str, ratings: Iterable[dict[str, Any]]) -> None:
    """Store ratings in the table of the plain service."""
    statement = "copy plain.ratings from stdin"
    with psycopg.connect(url) as connection, connection.cursor().copy(statement) as copy:
        for rating in ratings:
            copy.write_row(tuple(rating.values()))
    execute(url, "vacuum (analyze) plain.ratings", "checkpoint")


def time_aggregate(url: str) -> Timing:
    """Time one aggregate over the raw ratings of 180 days."""
    begun = perf_counter()
    execute(url, _AGGREGATE)
    seconds = perf_counter() - begun
    return Timing(1, seconds, [seconds])


def copier(url: str, prefix: str, count: int, batch: int) -> Callable[[], Timing]:
    """Return the work that copies the ratings of a load in batches, sorted by key.

    They go into a table of the same columns, indexes and other rows as the service's.
    """
    with suppress(psycopg.errors.DuplicateSchema):
        execute(url, *(statement.format(prefix) for statement in _REFERENCE))
    posted = _POSTED.format(prefix).encode()
    with psycopg.connect(url) as connection, connection.cursor().copy(posted) as copy:
        rows = [bytes(row) for row in copy]
    # Each message is a row, but for the first, which begins with a head, and the last, an end.
    rows = [rows[0].removeprefix(_HEAD), *rows[1:-1]]
    if len(rows) != count:
        raise Failed(f"{count:,} ratings were answered as stored, {len(rows):,} are stored")
    payloads = [b"".join([_HEAD, *some, _END]) for some in batches(rows, batch)]

    def work() -> Timing:
        latencies = []
        with psycopg.connect(url, autocommit=True) as connection:
            begun = perf_counter()
            for payload in payloads:
                since = perf_counter()
                with connection.cursor().copy(_COPY) as copy:
                    copy.write(payload)
                latencies.append(perf_counter() - since)
            return Timing(len(rows), perf_counter() - begun, sorted(latencies))

    return work
