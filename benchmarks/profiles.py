"""`python -m benchmarks.profiles`: where a microsecond of a worker goes, by sampling it under load.

Every sample counts for the innermost frame that lies in a place of the list below, so what C code
takes stands with the Python line that called it.
"""

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks import filling
from benchmarks.bench import Bench, Run, Served
from benchmarks.clients import client
from benchmarks.databases import make_service_database, on
from benchmarks.filling import HUGE, SMALL, WIDE, Portion
from benchmarks.load import Load
from benchmarks.reads import scorecard_paths
from benchmarks.scale import FULL, QUICK
from benchmarks.servers import service
from benchmarks.writes import changed, events
from infra.embedded import embedded_postgres, throwaway_data_dir

RATE_HZ = 250
SECONDS = 6.0
SHOWN = 25
_PLACES = re.compile(
    r"(?:^|/)((?:api|domain|infra|shopdsr)/[\w/]+|litestar|asyncpg|granian|asyncio|msgspec|stamina)"
    r"(?:/|\.py|$)"
)
_FRAME = re.compile(r"(.+) \((.+?)(?::\d+)?\)$")


def main() -> None:
    """Print a table for each of the bulk, single and GET paths."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.profiles", description=__doc__)
    options.add_argument("--quick", action="store_true", help="in a smaller world")
    given = options.parse_args()
    scale = QUICK if given.quick else FULL
    with ExitStack() as stack:
        data_dir = stack.enter_context(throwaway_data_dir())
        bench = Bench(scale, data_dir, [stack.enter_context(client())])
        bench.names = filling.shop_names(scale.shops)
        server_url = stack.enter_context(embedded_postgres(data_dir))
        url, key = make_service_database(server_url, "shopdsr")
        server = stack.enter_context(service(database_url=url))
        world = Served(server, key, url)
        filling.register(server, key, [HUGE, WIDE, SMALL])
        filling.register(server, key, bench.names)
        portions = [Portion("w", bench.names, scale.ratings)]
        on(url, partial(filling.fill_ratings, days=scale.days, portions=portions))
        filling.send_sales(server, key, scale, bench.names)
        server.call("POST", "/v1/peer-snapshots", key)
        for title, units, load in _loads(bench, world):
            sys.stdout.write(f"{_profiled(bench, world, title, units, load)}\n\n")


def _loads(bench: Bench, world: Served) -> Iterator[tuple[str, str, Load]]:
    bounds = {"run_s": SECONDS, "warm_s": 1.0}
    paths = tuple(("GET", path) for path in scorecard_paths(bench.names))
    single = events(bench, world, "profile_single", 1, **bounds)
    get = changed(single, recipe="send", requests=paths)
    yield "bulk, 1,000 a request", "an event", events(bench, world, "profile_bulk", 1000, **bounds)
    yield "single events", "an event", single
    yield "GET /scorecard", "a request", get


def _profiled(bench: Bench, world: Served, title: str, units: str, load: Load) -> str:
    file = bench.data_dir / f"{load.name}.txt"
    sampler = subprocess.Popen(
        [
            *(str(Path(sys.executable).with_name("py-spy")), "record", "--gil", "--format", "raw"),
            *("--rate", str(RATE_HZ), "--duration", str(int(SECONDS + 3)), "--output", str(file)),
            *("--pid", str(world.server.worker)),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        run = bench.run(load, world.server)
        sampler.wait(60)
    finally:
        sampler.kill()
        sampler.wait()
    return _table(title, units, run, _counted(file.read_text().splitlines()))


def _counted(lines: Sequence[str]) -> Counter[str]:
    """Samples by place and function."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        found[_place(stack.split(";"))] += int(count)
    return found


def _place(frames: Sequence[str]) -> str:
    for frame in reversed(frames):
        named = _FRAME.match(frame)
        where = _PLACES.search(named[2]) if named else None
        if named and where:
            return f"`{where[1]}` {named[1]}"
    return "elsewhere"


def _table(title: str, units: str, run: Run, counted: Counter[str]) -> str:
    total = sum(counted.values()) or 1
    rooms: Counter[str] = Counter()
    for place, count in counted.items():
        rooms[re.split(r"[/` ]", place.lstrip("`"))[0]] += count
    lines = [
        f"### {title}",
        "",
        _head(units, run, total),
        "",
        f"| where | µs {units} | share |",
        "|---|---|---|",
    ]
    lines += [
        f"| {place} | {run.worker_us * count / total:.2f} | {count / total:.1%} |"
        for place, count in [*rooms.most_common(), *counted.most_common(SHOWN)]
    ]
    return "\n".join(lines)


def _head(units: str, run: Run, samples: int) -> str:
    return (
        f"Worker {run.worker_us:.1f} µs, Postgres {run.postgres_us:.1f} µs {units}; "
        f"{samples:,} samples of the interpreter at work."
    )


if __name__ == "__main__":
    main()
