"""Measure what the service costs, beside what it could cost at best, and print the table."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg

from benchmarks import databases, servers, worlds
from benchmarks.client import Failed
from benchmarks.measure import QUICK, Scale, Side, Target
from benchmarks.report import Document, Pair
from benchmarks.rows import MEASURES, ROWS, Row
from benchmarks.servers import ROOT, Checkout, Process
from infra.embedded import embedded_postgres

_VERIFIED_EVENTS_MAX = 1_000_000
_EMBEDDED = "12"
"""The row that is measured when all else is stopped: the service runs Postgres on the data."""


def main() -> None:
    """Run what the options name; exit with 1 where a figure is not valid."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="all code once, in a tiny world")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout to compare")
    parser.add_argument("--only", metavar="ROW,…", help="rows by number, `9` for all of 9a to 9d")
    parser.add_argument("--events", type=int, help="ratings in the world")
    parser.add_argument("--pairs", type=int, help="pairs of loads a row")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results", help="folder")
    options = parser.parse_args()
    scale = QUICK if options.quick else Scale()
    is_part = options.events or options.pairs or options.only
    scale = msgspec.structs.replace(
        scale,
        form="against" if options.against else "part" if is_part else scale.form,
        events=options.events or scale.events,
        pairs=options.pairs or scale.pairs,
    )
    # The environment of the benchmarks lies in the one of the service.
    checkouts = [Checkout("this", ROOT, Path(sys.prefix).parent / "bin" / "python")]
    if options.against:
        other = options.against.absolute()
        checkouts.append(Checkout("other", other, other / ".venv" / "bin" / "python"))
    only = options.only.split(",") if options.only else []
    rows = [row for row in ROWS if not only or {row.number, row.number.rstrip("abcd")} & {*only}]
    if options.quick:  # a tiny load says nothing of a target
        rows = [row._replace(target="") for row in rows]
    versions = {checkout.name: checkout.version() for checkout in checkouts}
    document = Document(datetime.now(UTC), scale, versions)
    failures = run(document, checkouts, rows)
    sys.stdout.write(document.render(rows))
    if not options.quick:
        document.write(options.out, rows)
    sys.exit("\n".join(failures) or None)


def run(document: Document, checkouts: Sequence[Checkout], rows: Sequence[Row]) -> list[str]:
    """Make a world, measure all rows in it, and remove it; return what failed."""
    scale, failures, sides = document.scale, list[str](), list[Side]()

    def measure(rows: Sequence[Row], sides: Sequence[Side]) -> None:
        for row in rows:
            try:
                measure_row(document, row, sides)
            except (Failed, OSError, EOFError, psycopg.Error) as error:
                failures.append(f"{row.number}: {error!r}")

    with tempfile.TemporaryDirectory(prefix="shopdsr-bench-") as folder:
        data_dir = Path(folder)
        with embedded_postgres(data_dir) as url, ExitStack() as stack:
            pid_file = data_dir / "postgres" / "postmaster.pid"
            postgres = Process(int(pid_file.read_text().split()[0]))
            empty = Target(stack.enter_context(checkouts[0].serve_empty()), "")
            for checkout in checkouts:
                # The first one has the database that a service with the data folder serves.
                own_url = databases.database(url, checkout.name) if sides else url
                if sides:
                    databases.execute(url, f"create database {checkout.name}")
                sides.append(Side(scale, checkout, data_dir, own_url, postgres, stack, empty))
                sides[-1].fill_world()
            if any(row.number.startswith("9") for row in rows):
                target = plain(url, scale, sides[0].names, stack)
                for side in sides:
                    side.plain = target
            measure([row for row in rows if row.number != _EMBEDDED], sides)
            for side in sides if scale.events <= _VERIFIED_EVENTS_MAX else []:
                try:
                    side.checkout.run("verify", database_url=side.url)
                except Failed as error:
                    failures.append(f"`{side.checkout.name}`: {error}")
        measure([row for row in rows if row.number == _EMBEDDED], sides[:1])
    return failures


def measure_row(document: Document, row: Row, sides: Sequence[Side]) -> None:
    """Measure all pairs of a row, and note them."""
    pairs_count = min(document.scale.pairs, row.pairs_max)
    # The first pair of many warms up what is measured, and does not count.
    for place in range(-1 if pairs_count > 3 else 0, pairs_count):
        turn = sides[:: 1 if place % 2 else -1]
        if row.value:
            pairs = [Pair(row.what, side.checkout.name, row.value(side)) for side in turn]
        else:
            loads = [[load(side) for side in turn] for load in (row.this, row.reference) if load]
            pairs = []
            for side, *samples in zip(turn, *loads, strict=True):
                top, bottom = map(MEASURES[row.measure], samples)
                pairs.append(Pair(row.what, side.checkout.name, top / bottom, samples))
        document.pairs += pairs if place >= 0 else []


def plain(url: str, scale: Scale, shops: Sequence[str], stack: ExitStack) -> Target:
    """Start the plain service and fill its table."""
    process, encode = stack.enter_context(servers.serve_plain(url)), msgspec.json.encode
    databases.fill_plain(url, worlds.ratings("w", shops, scale.events, worlds.DAYS))
    return Target(process, worlds.PLAIN_KEY, "/ratings", encode)


if __name__ == "__main__":
    main()
