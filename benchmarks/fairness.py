"""Fairness: single posts at a steady pace, alone and while bulk clients send all they can."""

from benchmarks.bench import Bench, Served
from benchmarks.load import Load
from benchmarks.rows import Row, figure
from benchmarks.writes import events

PACE_PER_S = 100.0
FACTOR = 5.0
_LANES = 16


def measure_fairness(bench: Bench, world: Served) -> None:
    """p99 of single posts under bulk, against 5 times its idle value and one bulk transaction."""
    scale = bench.scale
    seconds = max(scale.run_s, 2.0)
    shares: list[float] = []
    table: list[dict[str, object]] = []
    for _ in range(scale.side_repeats):
        one_bulk = bench.run(
            events(bench, world, "one_bulk", 5000, connections=1, warm_s=0.0, requests_max=3),
            world.server,
        )
        idle = bench.run(_paced(bench, world, "single_idle", seconds), world.server)
        busy, bulk = bench.run_together(
            [
                (_paced(bench, world, "single_under_bulk", seconds), world.server, "events"),
                (
                    events(bench, world, "bulk_beside", 5000, run_s=seconds + 1.0),
                    world.server,
                    "events",
                ),
            ]
        )
        bench.stored += sum(run.result.stored for run in (one_bulk, idle, busy, bulk))
        allowed_ms = FACTOR * idle.result.latency_p99 + one_bulk.result.latency_p50
        shares.append(busy.result.latency_p99 / allowed_ms)
        table.append(
            {
                "idle p50, ms": figure(idle.result.latency_p50),
                "idle p99, ms": figure(idle.result.latency_p99),
                "under bulk p50, ms": figure(busy.result.latency_p50),
                "under bulk p99, ms": figure(busy.result.latency_p99),
                "one bulk request, ms": figure(one_bulk.result.latency_p50),
                "allowed p99, ms": figure(allowed_ms),
                "bulk beside, events/s": figure(bulk.rate),
            }
        )
        bench.say(f"p99 of singles under bulk: {busy.result.latency_p99:.1f} ms")
    bench.tables["fairness"] = table
    bench.rows.append(
        Row(
            number="F",
            what="p99 of single posts under bulk ÷ (5 times idle p99 + one bulk request)",
            unit="",
            values=shares,
            target=1.0,
            must_be="at most",
        )
    )


def _paced(bench: Bench, world: Served, name: str, seconds: float) -> Load:
    return events(
        bench,
        world,
        name,
        1,
        connections=_LANES,
        run_s=seconds,
        warm_s=0.5,
        arrivals_per_s=PACE_PER_S,
    )
