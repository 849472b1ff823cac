"""Reading: rows 5 to 8 and the last part of row 9."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from benchmarks.bench import Bench, Served
from benchmarks.databases import fetch
from benchmarks.filling import CATEGORIES
from benchmarks.load import Load
from benchmarks.plain.key import KEY
from benchmarks.rows import ratio
from benchmarks.servers import Server
from benchmarks.writes import nothing

MANY = 200
_RAW_SCAN = """
select
    shop_key, count(description), sum(description), count(service), sum(service),
    count(logistics), sum(logistics)
from ratings
where state = 0 and day <= $1 and day > $1 - 180
group by shop_key
"""


def gets(
    bench: Bench, served: Served | None, server: Server, name: str, paths: Sequence[str]
) -> float:
    """GETs of these paths in turn by 64 clients; requests a second."""
    scale = bench.scale
    load = Load(
        name=name,
        recipe="send",
        prefix=bench.prefix(),
        port=server.port,
        key=served.key if served else KEY,
        requests=tuple(("GET", path) for path in paths),
        connections=scale.clients,
        warm_s=scale.warm_s,
        run_s=scale.run_s,
    )
    return bench.run(load, server, "requests").rate


def scorecard_paths(names: Sequence[str]) -> list[str]:
    """Paths of scorecards, in an order that is no shop's own."""
    return [f"/v1/shops/{name}/scorecard" for name in sorted(names, key=lambda name: name[::-1])]


def measure_reads(
    bench: Bench, world: Served, small: Served, empty: Server, alternative: Server
) -> None:
    """Rows 5, 6 and 9d: one scorecard a request."""
    scale = bench.scale
    paths = scorecard_paths(bench.names)
    averages = [f"/shops/{name}/average" for name in bench.names]
    found = bench.alternate(
        {
            "GET /scorecard": lambda: gets(bench, world, world.server, "get", paths),
            "empty handler": lambda: nothing(bench, empty),
            "GET /scorecard, few ratings": lambda: gets(
                bench, small, small.server, "get_small", paths
            ),
            "GET average, plain service": lambda: gets(
                bench, None, alternative, "plain_get", averages
            ),
        }
    )
    ours, handler, few, by_plain = found.values()
    bench.rows.append(
        ratio("5", "`GET /scorecard` ÷ empty handler", ours, handler, sides="/s", target=0.75)
    )
    what = f"`GET /scorecard` at {scale.ratings:,} ÷ at {scale.small_ratings:,} ratings"
    bench.rows.append(ratio("6", what, ours, few, sides="/s", target=0.95))
    bench.rows.append(
        ratio("9d", "`GET /scorecard` ÷ plain service", ours, by_plain, sides="/s", target=25)
    )
    laddered = [
        [name for place, name in enumerate(bench.names) if place % CATEGORIES % 2 == odd]
        for odd in (0, 1)
    ]
    kinds = bench.alternate(
        {
            "GET /scorecard, tier by a ladder": lambda: gets(
                bench, world, world.server, "get_ladder", scorecard_paths(laddered[0])
            ),
            "GET /scorecard, tier by peers": lambda: gets(
                bench, world, world.server, "get_peers", scorecard_paths(laddered[1])
            ),
        },
        scale.side_repeats,
    )
    by_ladder, by_peers = kinds.values()
    what = "`GET /scorecard` of shops without a ladder ÷ with one"
    bench.rows.append(ratio("5+", what, by_peers, by_ladder, sides="/s"))


def measure_many(bench: Bench, world: Served) -> None:
    """Row 7: two hundred shops in one request, or one after another."""
    scale = bench.scale
    paths = scorecard_paths(bench.names)
    some = paths[:MANY]
    names = [path.split("/")[3] for path in some]
    together = f"/v1/scorecards?{'&'.join(f'shop_id={name}' for name in names)}"

    def timed(name: str, requests: Sequence[str], connections: int, count: int) -> float:
        load = Load(
            name=name,
            recipe="send",
            prefix=bench.prefix(),
            port=world.server.port,
            key=world.key,
            requests=tuple(("GET", path) for path in requests),
            connections=connections,
            requests_max=count,
        )
        result = bench.run(load, world.server, "requests").result
        if connections > 1:
            return result.seconds * 1000 * count / result.units
        return result.latency_p50 * (MANY if len(requests) > 1 else 1)

    found = bench.alternate(
        {
            "GET /scorecards of 200, ms": lambda: timed("get_200", [together], 1, 40),
            "200 GET /scorecard one after another, ms": lambda: timed(
                "get_one_after_another", some, 1, MANY * 2
            ),
            "200 GET /scorecard at once, ms": lambda: timed(
                "get_at_once", some, scale.clients, MANY
            ),
        }
    )
    one, singly, at_once = found.values()
    what = "`GET /scorecards` of 200 shops ÷ 200 single GETs"
    bench.rows.append(
        ratio(
            "7",
            f"{what}, one after another",
            one,
            singly,
            sides="ms",
            target=1 / 25,
            must_be="at most",
        )
    )
    bench.rows.append(ratio("7+", f"{what} of 64 clients at once", one, at_once, sides="ms"))


def measure_peers(bench: Bench, world: Served) -> None:
    """Row 8: a peer snapshot over HTTP, or one pass over the ratings behind it."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)

    def taken() -> float:
        load = Load(
            name="peer_snapshot",
            recipe="send",
            prefix=bench.prefix(),
            port=world.server.port,
            key=world.key,
            requests=(("POST", "/v1/peer-snapshots"),),
            requests_max=1,
        )
        return bench.run(load, world.server, "requests").result.latency_p50

    def passed() -> float:
        begun = time.perf_counter()
        fetch(world.url, _RAW_SCAN, yesterday)
        return (time.perf_counter() - begun) * 1000

    found = bench.alternate({"peer snapshot, ms": taken, "pass over raw ratings, ms": passed})
    snapshot, raw = found.values()
    what = f"peer snapshot over {len(bench.names):,} shops ÷ one pass over raw ratings"
    bench.rows.append(ratio("8", what, snapshot, raw, sides="ms", target=1 / 50, must_be="at most"))
