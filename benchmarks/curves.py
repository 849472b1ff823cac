"""Points of the plots: latency against load, and throughput against database size."""

import msgspec

from benchmarks.bench import Bench, Run, Served
from benchmarks.databases import execute, on
from benchmarks.filling import EMPTY, Portion, fill_ratings
from benchmarks.load import Load
from benchmarks.reads import gets, scorecard_paths
from benchmarks.writes import events


class Point(msgspec.Struct, frozen=True):
    """One point of one line of a plot."""

    line: str
    x: float
    y: float


def latency_points(bench: Bench, world: Served) -> list[Point]:
    """p50 and p99 of single posts and scorecards at growing numbers of clients."""
    points = []
    paths = tuple(("GET", path) for path in scorecard_paths(bench.names))
    for connections in bench.scale.curve_connections:
        load = events(bench, world, f"curve_single_{connections}", 1, connections=connections)
        single = bench.run(load, world.server)
        bench.stored += single.result.stored
        load = Load(
            name=f"curve_get_{connections}",
            recipe="send",
            prefix=bench.prefix(),
            port=world.server.port,
            key=world.key,
            requests=paths,
            connections=connections,
            warm_s=bench.scale.warm_s,
            run_s=bench.scale.run_s,
        )
        get = bench.run(load, world.server, "requests")
        for name, run in (("POST of one event", single), ("GET /scorecard", get)):
            points += _of(name, run)
    return points


def _of(name: str, run: Run) -> list[Point]:
    return [
        Point(f"{name}, median", run.rate, run.result.latency_p50),
        Point(f"{name}, p99", run.rate, run.result.latency_p99),
    ]


def size_points(bench: Bench, small: Served, known: dict[int, tuple[float, float]]) -> list[Point]:
    """Bulk, single and GET throughput at growing sizes; `known` ones were measured before."""
    measured = dict(known)
    days = bench.scale.days
    for size in bench.scale.sizes:
        execute(small.url, *EMPTY)
        portion = Portion("s", bench.names, size)
        on(small.url, lambda connection, made=portion: fill_ratings(connection, days, [made]))  # type: ignore[misc]
        bulk = bench.run(events(bench, small, f"size_bulk_{size}", 1000), small.server).rate
        get = gets(bench, small, small.server, f"size_get_{size}", scorecard_paths(bench.names))
        measured[size] = (bulk, get)
    points = []
    for size, (bulk, get) in sorted(measured.items()):
        points.append(Point("bulk, events/s", size, bulk))
        points.append(Point("GET /scorecard, requests/s", size, get))
    return points
