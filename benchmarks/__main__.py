"""`python -m benchmarks`: make a world, measure every target, print the table."""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import curves, fairness, filling, growth, lifecycle, reads, report, writes
from benchmarks.bench import Bench, Served
from benchmarks.clients import client
from benchmarks.databases import (
    Connection,
    copy_of_table,
    execute,
    fetch,
    make_service_database,
    on,
)
from benchmarks.direct import SCHEMA
from benchmarks.drawing import ZONE
from benchmarks.filling import HUGE, SMALL, SMALL_SHOP_RATINGS, WIDE, Portion
from benchmarks.plain.tables import SCHEMA as PLAIN_SCHEMA
from benchmarks.scale import FULL, QUICK
from benchmarks.servers import empty_handler, plain_service, service
from infra.embedded import embedded_postgres, throwaway_data_dir

FOLDER = Path(__file__).resolve().parent
PARTS = ("bulk", "batches", "singles", "reads", "fairness", "growth", "memory", "start", "slow")

_PLAIN_FILL = f"""
insert into {PLAIN_SCHEMA}.ratings (
    shop_id, review_id, order_id, buyer_id, listing_id, time, completed_at,
    description, service, logistics, comment
)
select
    s.shop_id, r.review_id, r.order_id, r.buyer_id, r.listing_id, r.time, r.completed_at,
    r.description, r.service, r.logistics, r.comment
from ratings r join shops s using (shop_key)
"""  # noqa: S608


def main() -> None:
    """Run what is asked for; exits with 1 where a figure could not be trusted."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--quick", action="store_true", help="a smaller world, shorter loads")
    options.add_argument("--out", type=Path, default=FOLDER / "results", help="folder of the files")
    options.add_argument(
        "--only", choices=PARTS, action="append", help="some parts only; may be repeated"
    )
    given = options.parse_args()
    parts = given.only or PARTS
    with ExitStack() as stack:
        data_dir = stack.enter_context(throwaway_data_dir())
        clients = [stack.enter_context(client()) for _ in range(2)]
        bench = Bench(QUICK if given.quick else FULL, data_dir, clients)
        bench.names = filling.shop_names(bench.scale.shops)
        with embedded_postgres(data_dir) as url:
            filled_s, latencies, sizes = _measure_running(bench, url, parts)
        if "start" in parts:
            lifecycle.measure_start(bench)
        if "slow" in parts:
            lifecycle.measure_slow_disk(bench)
    bench.rows.sort(key=lambda row: (row.number == "F", _place(row.number), row.number))
    targets, costs = report.report(
        bench, given.out, latencies=latencies, sizes=sizes, filled_s=filled_s
    )
    sys.stdout.write(f"{targets}\n\n{costs}\n")
    if parts is PARTS and not given.quick:
        report.into_readme(FOLDER / "README.md", f"{targets}\n\n{costs}")
        report.into_readme(FOLDER.parent / "README.md", targets)
    bench.say("done")


def _measure_running(
    bench: Bench, server_url: str, parts: Sequence[str]
) -> tuple[float, list[curves.Point], list[curves.Point]]:
    """Everything that needs no restart of Postgres."""
    begun = time.monotonic()
    world_url, world_key = make_service_database(server_url, "shopdsr")
    small_url, small_key = make_service_database(server_url, "small")
    with service(database_url=world_url) as server, service(database_url=small_url) as smaller:
        _fill(bench, Served(server, world_key, world_url), Served(smaller, small_key, small_url))
    filled_s = time.monotonic() - begun
    bench.say(f"filled in {filled_s:.0f} s")
    after_start_mib = lifecycle.measure_start_alone(bench, world_url)
    before = _stored(world_url)
    latencies: list[curves.Point] = []
    sizes: list[curves.Point] = []
    with ExitStack() as stack:
        world = Served(stack.enter_context(service(database_url=world_url)), world_key, world_url)
        small = Served(stack.enter_context(service(database_url=small_url)), small_key, small_url)
        empty = stack.enter_context(empty_handler())
        one_by_one = stack.enter_context(plain_service(world_url))
        on_conflict = stack.enter_context(plain_service(world_url, duplicates="on_conflict"))
        on(world_url, _fill_references)
        bench.say("references filled")
        world.server.call("POST", "/v1/peer-snapshots", world.key)
        small.server.call("POST", "/v1/peer-snapshots", small.key)
        if "reads" in parts:
            reads.measure_reads(bench, world, small, empty, one_by_one)
            reads.measure_many(bench, world)
            reads.measure_peers(bench, world)
        if "singles" in parts:
            writes.measure_singles(bench, world, empty, one_by_one)
        if "bulk" in parts:
            writes.measure_bulk(bench, world, small)
        if "batches" in parts:
            writes.measure_batches(bench, world, one_by_one, on_conflict)
        if "fairness" in parts:
            fairness.measure_fairness(bench, world)
        if "growth" in parts:
            today = datetime.now(ZONE).date()
            growth.measure_growth(bench, world, f"{today}", f"{today - timedelta(days=7)}")
        latencies = curves.latency_points(bench, world)
        sizes = curves.size_points(bench, small, _known_sizes(bench))
        if "memory" in parts:
            lifecycle.measure_memory(bench, world, after_start_mib)
    _check_stored(bench, world_url, before)
    return filled_s, latencies, sizes


def _fill(bench: Bench, world: Served, small: Served) -> None:
    scale = bench.scale
    names = bench.names
    for served in (world, small):
        # First, so that they are among the shops that are recounted; each in the first category.
        for name in (HUGE, WIDE, SMALL):
            filling.register(served.server, served.key, [name])
        filling.register(served.server, served.key, names)
    bench.say("shops registered")
    portions = [
        Portion("w", names, scale.ratings),
        Portion("h", [HUGE], scale.huge_ratings),
        Portion("t", [SMALL], SMALL_SHOP_RATINGS),
    ]
    on(world.url, partial(filling.fill_ratings, days=scale.days, portions=portions))
    bench.say(f"{scale.ratings:,} ratings filled")
    few = [Portion("w", names, scale.small_ratings)]
    on(small.url, partial(filling.fill_ratings, days=scale.days, portions=few))
    sent = filling.send_sales(world.server, world.key, scale, names)
    bench.say(f"{sent:,} events of listings and orders sent")
    audited = filling.audit(world.url, scale.audited_shops)
    bench.say(f"{audited:,} shops recounted")


async def _fill_references(connection: Connection) -> None:
    await copy_of_table(connection, "public.ratings", f"{SCHEMA}.ratings")
    await connection.execute(_PLAIN_FILL)
    await connection.execute(f"vacuum (analyze) {PLAIN_SCHEMA}.ratings")
    await connection.execute("checkpoint")


def _stored(url: str) -> int:
    count: int = fetch(url, "select count(*) as ratings from ratings")[0]["ratings"]
    return count


def _check_stored(bench: Bench, url: str, before: int) -> None:
    """Whatever was answered as new is there, nothing else is, and totals are what it adds up to."""
    there = _stored(url) - before
    if there != bench.stored:
        raise SystemExit(f"{bench.stored:,} ratings were answered as new, {there:,} are there")
    audited = filling.audit(url, bench.scale.audited_shops)
    bench.say(f"{there:,} ratings sent are stored; {audited:,} shops recounted")
    execute(url, "checkpoint")


def _known_sizes(bench: Bench) -> dict[int, tuple[float, float]]:
    """Bulk and GET throughput at the sizes that were measured already."""
    found = {}
    for size, bulk, get in (
        (bench.scale.ratings, "bulk_1000", "get"),
        (0, "bulk_1000_empty", "get_small"),
    ):
        rates = [[run.rate for run in bench.runs if run.load == name] for name in (bulk, get)]
        if all(rates):
            found[size] = (median(rates[0]), median(rates[1]))
    return found


def _place(number: str) -> int:
    digits = "".join(letter for letter in number if letter.isdigit())
    return int(digits or 0)


if __name__ == "__main__":
    main()
