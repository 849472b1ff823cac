"""Growth: what a shop with very much of something costs, beside a small one."""

from collections.abc import Callable, Sequence

from benchmarks.bench import Bench, Run, Served
from benchmarks.filling import HUGE, SMALL, WIDE
from benchmarks.load import Load
from benchmarks.rows import figure
from benchmarks.writes import events

_READS: Sequence[tuple[str, str]] = (
    ("/scorecard", HUGE),
    ("/dsr", HUGE),
    ("/dsr/change?start={before}&end={today}", HUGE),
    ("/reviews?limit=50", HUGE),
    ("/scorecard", WIDE),
    ("/sell-through", WIDE),
    ("/listings?limit=50", WIDE),
    ("/listings?limit=50&view=on_sale", WIDE),
    ("/listings?limit=50&view=zero_payment", WIDE),
    ("/listings?limit=50&view=slow", WIDE),
)


def measure_growth(bench: Bench, world: Served, today: str, before: str) -> None:
    """Median latencies on one connection, small shop and large shop in turn."""
    table: list[dict[str, object]] = []
    for path, shop in _READS:
        tail = path.format(today=today, before=before)

        def read(name: str, tail: str = tail) -> Callable[[], float]:
            return lambda: _latency(bench, world, name, tail)

        what = f"GET {path.partition('?start')[0]}"
        table.append(_compare(bench, what, shop, read(SMALL), read(shop)))

    def post(name: str) -> Callable[[], float]:
        return lambda: _post(bench, world, name).result.latency_p50

    what = "POST /v1/events, one rating"
    table.append(_compare(bench, what, HUGE, post(SMALL), post(HUGE)))
    bench.tables["growth"] = table


def _compare(
    bench: Bench, what: str, shop: str, of_small: Callable[[], float], of_large: Callable[[], float]
) -> dict[str, object]:
    found = bench.alternate(
        {f"{what} {SMALL}, ms": of_small, f"{what} {shop}, ms": of_large},
        bench.scale.side_repeats,
    )
    small, large = (sorted(figures)[len(figures) // 2] for figures in found.values())
    return {
        "what": f"`{what}`",
        "large shop": shop,
        "small shop, ms": figure(small),
        "large shop, ms": figure(large),
        "ratio": figure(large / small),
    }


def _latency(bench: Bench, world: Served, shop: str, tail: str) -> float:
    load = Load(
        name=f"growth {shop}{tail.partition('?')[0]}",
        recipe="send",
        prefix=bench.prefix(),
        port=world.server.port,
        key=world.key,
        requests=(("GET", f"/v1/shops/{shop}{tail}"),),
        requests_max=bench.scale.latency_requests,
        run_s=10.0,
    )
    return bench.run(load, world.server, "requests").result.latency_p50


def _post(bench: Bench, world: Served, shop: str) -> Run:
    load = events(
        bench,
        world,
        f"growth {shop} post",
        1,
        subjects=(shop,),
        connections=1,
        warm_s=0.0,
        run_s=10.0,
        requests_max=bench.scale.latency_requests,
    )
    run = bench.run(load, world.server)
    bench.stored += run.result.stored
    return run
