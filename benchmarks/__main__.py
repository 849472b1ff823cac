"""Measure what the service costs, beside what it could cost at best, and print the table."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg

from benchmarks import databases, report, servers, worlds
from benchmarks.client import Failed
from benchmarks.measure import QUICK, Bench, Scale, Side, Target
from benchmarks.report import Document, Measured, Pairs
from benchmarks.rows import MEASURES, ROWS, Row
from benchmarks.servers import FOLDER, Checkout

_VERIFIED_EVENTS_MAX = 1_000_000


def main() -> None:
    """Run what the options name; exit with 1 where a figure is not valid."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="all code once, in a tiny world")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout to compare")
    parser.add_argument("--only", metavar="ROW,…", help="rows by number, `9` for all of 9a to 9d")
    parser.add_argument("--events", type=int, help="ratings in the world")
    parser.add_argument("--pairs", type=int, help="pairs of loads a row")
    parser.add_argument("--out", type=Path, default=FOLDER / "results", help="folder of the files")
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
    checkouts = [Checkout("this", FOLDER.parent, Path(sys.prefix).parent / "bin" / "python")]
    if options.against:
        other = options.against.absolute()
        checkouts.append(Checkout("other", other, other / ".venv" / "bin" / "python"))
    only = options.only.split(",") if options.only else []
    rows = [row for row in ROWS if not only or {row.number, row.number.rstrip("abcd")} & {*only}]
    run = Run(scale, checkouts, rows)
    document = run.document()
    text = report.render(document)
    sys.stdout.write(f"{text}\n")
    if not options.quick:
        report.write(document, options.out)
    if scale.form == "full" and not run.failures:
        report.write_into(FOLDER / "README.md", text)
    sys.exit("\n".join(run.failures) or None)


class Run:
    """One run; rows that fail are noted, and the others go on."""

    def __init__(self, scale: Scale, checkouts: Sequence[Checkout], rows: Sequence[Row]) -> None:
        self.failures: list[str] = []
        self._scale = scale
        self._checkouts = checkouts
        self._measured = {}
        for row in rows:
            # A tiny load says nothing of a target.
            target = row.target if scale.share == 1 else ""
            sides = {checkout.name: Pairs() for checkout in checkouts}
            self._measured[row] = Measured(row.what, row.measure, target, sides)

    def document(self) -> Document:
        """Make a world, measure all rows in it, remove it, and return what was measured."""
        machine, begun = report.machine(), time.monotonic()
        versions = {checkout.name: checkout.version() for checkout in self._checkouts}
        with tempfile.TemporaryDirectory(prefix="shopdsr-bench-") as folder:
            bench = Bench(self._scale, Path(folder))
            self._checkouts[0].run("migrate", data_dir=folder)
            with self._serving(bench) as (sides, stack):
                for side in sides[1:]:
                    databases.execute(sides[0].url, f"create database {side.checkout.name}")
                for side in sides:
                    side.fill()
                filled_s = time.monotonic() - begun
                bench.say("the world is filled")
                empty = stack.enter_context(servers.empty_handler(self._checkouts[0]))
                bench.empty = Target(empty, "", "")
                if any(row.number.startswith("9") for row in self._measured):
                    bench.plain = _plain(bench, sides[0].url, stack)
                self._measure("running", sides)
            if any(row.stage == "slow disk" for row in self._measured) and shutil.which("cc"):
                with self._serving(bench, servers.fsync_delay(Path(folder))) as (sides, _):
                    self._measure("slow disk", sides)
            self._measure("stopped", sides[:1])
        return Document(
            at=datetime.now(UTC),
            scale=self._scale,
            machine=machine,
            checkouts=versions,
            filled_s=filled_s,
            rows=[*self._measured.values()],
        )

    @contextmanager
    def _serving(self, bench: Bench, preload: str = "") -> Iterator[tuple[list[Side], ExitStack]]:
        """Run Postgres for the block, and check the number of stored ratings at its end."""
        with (
            servers.postgres(bench.data_dir, preload) as (bench.postgres, url),
            ExitStack() as stack,
        ):
            this, *others = self._checkouts
            places = [(this, url), *((it, databases.database(url, it.name)) for it in others)]
            sides = [Side(bench, checkout, place, stack) for checkout, place in places]
            yield sides, stack
            for side in sides:
                try:
                    bench.check_stored(side.url)
                    if self._scale.events <= _VERIFIED_EVENTS_MAX:
                        side.checkout.run("verify", database_url=side.url)
                except Failed as error:
                    self.failures.append(f"`{side.checkout.name}`: {error}")

    def _measure(self, stage: str, sides: Sequence[Side]) -> None:
        for row, measured in self._measured.items():
            try:
                if row.stage == stage:
                    self._measure_pairs(row, sides, measured)
            except (Failed, OSError, psycopg.Error) as error:
                self.failures.append(f"{row.number}: {error!r}")
                sides[0].bench.say(self.failures[-1])

    def _measure_pairs(self, row: Row, sides: Sequence[Side], measured: Measured) -> None:
        pairs_count = min(self._scale.pairs, row.pairs_max)
        # The first pair of many warms up what is measured, and does not count.
        for place in range(-1 if pairs_count > 3 else 0, pairs_count):
            turn = sides[:: 1 if place % 2 else -1]
            if row.value:
                for side in turn:
                    measured.sides[side.checkout.name].values.append(row.value(side))
                continue
            assert row.this
            assert row.reference
            this = [row.this(side) for side in turn]
            reference = [row.reference(side) for side in turn]
            for side, *loads in zip(turn, this, reference, strict=True) if place >= 0 else ():
                pairs = measured.sides[side.checkout.name]
                pairs.this.append(loads[0])
                pairs.reference.append(loads[1])
                top, bottom = map(MEASURES[row.measure], loads)
                pairs.values.append(top / bottom)


def _plain(bench: Bench, url: str, stack: ExitStack) -> Target:
    """Start the plain service and fill its table."""
    process = stack.enter_context(servers.plain_service(url))
    plain = Target(process, url, worlds.PLAIN_KEY, "/ratings", "plain.ratings", msgspec.json.encode)
    events = bench.scale.events
    databases.fill_plain(url, worlds.ratings("w", bench.names, events, worlds.DAYS))
    bench.stored[url, plain.table] += events
    return plain


if __name__ == "__main__":
    main()
