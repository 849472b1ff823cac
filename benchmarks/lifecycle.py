"""Rows 4, 11 and 12: what a slow disk, a long day and a restart cost."""

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks import processes, slow_disk
from benchmarks.bench import Bench, Served
from benchmarks.databases import SCOPES, TENANT, shopdsr
from benchmarks.load import Load
from benchmarks.reads import gets, scorecard_paths
from benchmarks.rows import Row, ratio
from benchmarks.servers import service
from benchmarks.writes import SINGLE_PER_S_MAX, changed, events, send

START_MIB, PEAK_MIB, GROWTH_MAX = 120.0, 250.0, 1.1
READY_S = 2.0
_COMMITS_PER_S_MAX = 3_000.0


def measure_memory(bench: Bench, world: Served, after_start_mib: Sequence[float]) -> None:
    """Row 11: a worker's memory after its start, at its peak, and over repeated rounds."""
    if not processes.memory_mib(world.server.worker):
        why = "this system has no /proc"
        bench.rows.append(Row(number="11", what="memory of a worker", values=[], why_not=why))
        return
    peaks: list[float] = []
    after: list[float] = []
    paths = scorecard_paths(bench.names)
    for _ in range(bench.scale.rounds):
        send(bench, world, events(bench, world, "round_bulk", 5000))
        peaks.append(bench.runs[-1].worker_peak_mib)
        send(bench, world, events(bench, world, "round_single", 1))
        peaks.append(bench.runs[-1].worker_peak_mib)
        gets(bench, world, world.server, "round_get", paths)
        peaks.append(bench.runs[-1].worker_peak_mib)
        after.append(bench.runs[-1].worker_after_mib)
        bench.say(f"memory after a round: {after[-1]:.0f} MiB")
    settled = after[1:]
    half = len(settled) // 2
    of_worker = [run.worker_peak_mib for run in bench.runs if run.load in _WORLD_LOADS]
    bench.rows += [
        Row(
            number="11a",
            what="memory of a worker after its start",
            unit="MiB",
            values=list(after_start_mib),
            target=START_MIB,
            must_be="at most",
        ),
        Row(
            number="11b",
            what="memory of a worker at its peak, under the worst of the loads",
            unit="MiB",
            values=[max([*peaks, *of_worker])],
            target=PEAK_MIB,
            must_be="at most",
        ),
        Row(
            number="11c",
            what=f"memory after the later half of {len(settled)} rounds ÷ the earlier, medians",
            unit="",
            values=[median(settled[half:]) / median(settled[:half])],
            target=GROWTH_MAX,
            must_be="at most",
        ),
    ]


_WORLD_LOADS = frozenset({"bulk_1000", "bulk_5000", "bulk_500", "bulk_500_known", "single", "get"})


def measure_start(bench: Bench) -> None:
    """Row 12: from the command to readiness, with and without starting Postgres."""
    cold = []
    for _ in range(bench.scale.repeats):
        with service(data_dir=bench.data_dir) as server:
            cold.append(server.ready_s)
            bench.say(f"ready with its own Postgres after {server.ready_s:.2f} s")
    bench.rows.append(
        Row(
            number="12",
            what="ready after start, embedded Postgres and existing database included",
            unit="s",
            values=cold,
            target=READY_S,
            must_be="at most",
        )
    )


def measure_start_alone(bench: Bench, url: str) -> list[float]:
    """Row 12 without starting Postgres; what a worker holds after each start, in MiB."""
    ready, memory = [], []
    for _ in range(bench.scale.repeats):
        with service(database_url=url) as server:
            ready.append(server.ready_s)
            memory.append(processes.memory_mib(server.worker))
    what = "ready after start, on a Postgres that runs"
    bench.rows.append(Row(number="12+", what=what, unit="s", values=ready))
    return memory


def measure_slow_disk(bench: Bench) -> None:
    """Row 4: single events beside one commit after another, each flush 1 ms longer."""
    what = "single events ÷ commits of one connection, flushes 1 ms longer"
    try:
        library = slow_disk.build_shim(bench.data_dir)
    except slow_disk.NotBuilt as error:
        bench.rows.append(Row(number="4", what=what, values=[], target=12, why_not=str(error)))
        return
    with (
        slow_disk.slow_postgres(bench.data_dir, library) as url,
        service(database_url=url) as server,
    ):
        key = shopdsr(url, ["keys", "create", "--tenant", TENANT, "--scopes", SCOPES])
        world = Served(server, key, url)
        found = bench.alternate(
            {
                "single events, slow disk": lambda: send(
                    bench, world, events(bench, world, "single_slow", 1)
                ),
                "commits, slow disk": _commits(bench, url),
            }
        )
    joined, commits = found.values()
    bench.rows.append(ratio("4", what, joined, commits, sides="/s", target=12))


def _commits(bench: Bench, url: str) -> Callable[[], float]:
    scale = bench.scale
    load = Load(
        name="commits_slow",
        recipe="insert",
        prefix="",
        database_url=url,
        subjects=bench.names,
        warm_s=scale.warm_s,
        run_s=scale.run_s,
        units_per_s_max=min(_COMMITS_PER_S_MAX, SINGLE_PER_S_MAX),
    )
    return lambda: bench.run(changed(load, prefix=bench.prefix()), units="rows").rate
