"""Writing: rows 1, 2, 3, 9 and 10, and what COPY and the plain service do with the same."""

from collections.abc import Callable

from benchmarks.bench import Bench, Served
from benchmarks.databases import execute
from benchmarks.filling import EMPTY
from benchmarks.load import Load
from benchmarks.plain.key import KEY
from benchmarks.rows import ratio
from benchmarks.servers import Server

BULK_PER_S_MAX = 90_000.0
COPY_PER_S_MAX = 120_000.0
SINGLE_PER_S_MAX = 20_000.0
PLAIN_PER_S_MAX = 40_000.0
PLAIN_BATCH = 500
PLAIN_SHARE_MIN = 0.10


def events(bench: Bench, served: Served, name: str, batch: int, **changes: object) -> Load:
    """Events for a service: singles of many clients, or batches."""
    scale = bench.scale
    load = Load(
        name=name,
        recipe="events",
        prefix=bench.prefix(),
        port=served.server.port,
        key=served.key,
        subjects=bench.names,
        connections=scale.clients if batch == 1 else scale.bulk_connections,
        batch=batch,
        warm_s=scale.warm_s,
        run_s=scale.run_s,
        units_per_s_max=SINGLE_PER_S_MAX if batch == 1 else BULK_PER_S_MAX,
    )
    return changed(load, **changes)


def changed(load: Load, **changes: object) -> Load:
    """A load that differs in some fields."""
    fields = {name: getattr(load, name) for name in load.__struct_fields__}
    return Load(**(fields | changes))


def send(bench: Bench, world: Served, load: Load) -> float:
    """Send events to the world's service; events a second."""
    run = bench.run(load, world.server)
    bench.stored += run.result.stored
    return run.rate


def measure_bulk(bench: Bench, world: Served, small: Served) -> None:
    """Rows 1, 2 and 10: bulk beside COPY, and beside itself on an empty database."""
    scale = bench.scale

    def emptied() -> float:
        execute(small.url, *EMPTY)
        return bench.run(events(bench, small, "bulk_1000_empty", 1000), small.server).rate

    found = bench.alternate(
        {
            "bulk of 1,000 a request": lambda: send(
                bench, world, events(bench, world, "bulk_1000", 1000)
            ),
            "COPY by 1,000": lambda: copy(bench, world, 1),
            "bulk of 5,000 a request": lambda: send(
                bench, world, events(bench, world, "bulk_5000", 5000)
            ),
            "COPY by 1,000, two connections": lambda: copy(bench, world, 2),
            "bulk of 1,000 on an empty database": emptied,
        }
    )
    bulk_1000, by_copy, bulk_5000, by_two, on_empty = found.values()
    bench.rows.append(
        ratio("1", "bulk, 1,000 a request ÷ COPY", bulk_1000, by_copy, sides="/s", target=0.75)
    )
    bench.rows.append(
        ratio("2", "bulk, 5,000 a request ÷ COPY", bulk_5000, by_copy, sides="/s", target=0.90)
    )
    bench.rows.append(
        ratio("1+", "bulk, 1,000 ÷ COPY on two connections", bulk_1000, by_two, sides="/s")
    )
    what = f"bulk at {scale.ratings:,} ratings ÷ on an empty database"
    bench.rows.append(ratio("10", what, bulk_1000, on_empty, sides="/s", target=0.9))


def copy(bench: Bench, world: Served, connections: int) -> float:
    """COPY into the copy of the table; rows a second."""
    scale = bench.scale
    load = Load(
        name=f"copy_{connections}",
        recipe="copy",
        prefix=bench.prefix(),
        database_url=world.url,
        subjects=bench.names,
        connections=connections,
        batch=1000,
        warm_s=scale.warm_s,
        run_s=scale.run_s,
        units_per_s_max=COPY_PER_S_MAX,
    )
    return bench.run(load, units="rows").rate


def plain(bench: Bench, server: Server, name: str, batch: int, **changes: object) -> float:
    """The same ratings for the plain service; ratings a second."""
    scale = bench.scale
    load = Load(
        name=name,
        recipe="ratings",
        prefix=bench.prefix(),
        port=server.port,
        key=KEY,
        subjects=bench.names,
        connections=scale.clients if batch == 1 else scale.bulk_connections,
        batch=batch,
        warm_s=scale.warm_s,
        run_s=scale.run_s,
        units_per_s_max=PLAIN_PER_S_MAX,
    )
    return bench.run(changed(load, **changes), server, "ratings").rate


def measure_singles(bench: Bench, world: Served, empty: Server, alternative: Server) -> None:
    """Row 3 and the first part of row 9: single events of 64 clients."""
    found = bench.alternate(
        {
            "single events": lambda: send(bench, world, events(bench, world, "single", 1)),
            "empty handler": lambda: nothing(bench, empty),
            "single ratings, plain service": lambda: plain(bench, alternative, "plain_single", 1),
        }
    )
    single, handler, by_plain = found.values()
    bench.rows.append(
        ratio("3", "single events ÷ empty handler", single, handler, sides="/s", target=0.45)
    )
    bench.rows.append(
        ratio("9a", "single events ÷ plain service", single, by_plain, sides="/s", target=8)
    )


def nothing(bench: Bench, empty: Server) -> float:
    """The empty handler; requests a second."""
    scale = bench.scale
    load = Load(
        name="empty_handler",
        recipe="send",
        prefix=bench.prefix(),
        port=empty.port,
        requests=tuple(("GET", f"/v1/shops/{name}/nothing") for name in bench.names),
        connections=scale.clients,
        warm_s=scale.warm_s,
        run_s=scale.run_s,
    )
    return bench.run(load, empty, "requests").rate


def measure_batches(bench: Bench, world: Served, one_by_one: Server, on_conflict: Server) -> None:
    """Row 9, batches of 500: clean, and with one event in fifty sent before."""
    size = PLAIN_BATCH
    again = {"duplicates": 0.02}

    def ours(name: str, **changes: object) -> Callable[[], float]:
        return lambda: send(bench, world, events(bench, world, name, size, **changes))

    def theirs(server: Server, name: str, **changes: object) -> Callable[[], float]:
        return lambda: plain(bench, server, name, size, **changes)

    found = bench.alternate(
        {
            "batches of 500": ours("bulk_500"),
            "batches of 500, plain": theirs(one_by_one, "plain_500"),
            "COPY by 1,000": lambda: copy(bench, world, 1),
            "batches of 500, 2 % known": ours("bulk_500_known", **again),
            "batches of 500, 2 % known, plain": theirs(one_by_one, "plain_500_known", **again),
            "the same with on conflict": theirs(on_conflict, "plain_500_known_conflict", **again),
        }
    )
    clean, plain_clean, by_copy, known, plain_known, plain_conflict = found.values()
    bench.rows.append(
        ratio("9b", "batches of 500 ÷ plain service", clean, plain_clean, sides="/s", target=4)
    )
    what = "batches of 500, 2 % known ÷ plain service"
    bench.rows.append(ratio("9c", what, known, plain_known, sides="/s", target=20))
    bench.rows.append(ratio("9c+", f"{what} with `on conflict`", known, plain_conflict, sides="/s"))
    bench.rows.append(
        ratio(
            "9+",
            "plain service, batches of 500 ÷ COPY (below: the plain service is broken)",
            plain_clean,
            by_copy,
            sides="/s",
            target=PLAIN_SHARE_MIN,
        )
    )
