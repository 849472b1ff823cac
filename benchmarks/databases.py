"""Statements outside of the service, and COPY beside it: the same rows into the same table."""

import re
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

import psycopg

from benchmarks.client import Timing
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


def database(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return re.sub(r"/\w+\?", f"/{name}?", url)


def execute(url: str, *statements: str) -> None:
    """Execute statements one after another, each in a transaction of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def value(url: str, query: str) -> Any:
    """Return the value that a query answers."""
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row and row[0]


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


def copier(url: str, prefix: str, batch: int) -> Callable[[], Timing]:
    """Read the ratings of a load; return the work that copies them in batches.

    They are sorted by key and encoded in the binary format beforehand. They go over one connection
    into a table of the same columns, indexes and other rows as the service's.
    """
    if value(url, "select to_regclass('reference.ratings') is null"):
        execute(url, *(statement.format(prefix) for statement in _REFERENCE))
    posted = _POSTED.format(prefix).encode()
    with psycopg.connect(url) as connection, connection.cursor().copy(posted) as copy:
        rows = [bytes(row) for row in copy]
    # Each message is a row, but for the first, which begins with a head, and the last, an end.
    rows = [rows[0].removeprefix(_HEAD), *rows[1:-1]]
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
