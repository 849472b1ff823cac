"""The rows of the table: what is measured, the reference beside it, and the target."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from operator import attrgetter
from random import Random
from statistics import median
from threading import Event
from typing import NamedTuple

from benchmarks import databases, worlds
from benchmarks.client import Request, Timing, raw_request, send
from benchmarks.measure import (
    BULK_CLIENTS,
    CLIENTS,
    Sample,
    Side,
    Target,
    fill,
    posts,
    take_snapshot,
)

Load = Callable[[Side], Sample]
Where = Callable[[Side], Target]
LoadWhere = Callable[[Where, Side], Sample]

MEASURES: dict[str, Callable[[Sample], float]] = {
    "CPU": lambda sample: sample.cpu_us,
    "rate": lambda sample: sample.rate,
    "time": lambda sample: 1 / sample.rate,
    "latency": lambda sample: sample.p50_ms,
}
_SCORECARD, _MANY_SHOPS = "/v1/shops/{}/scorecard", 200
_PACE_PER_S, _IDLE_FACTOR = 100.0, 5.0
_KNOWN_RATINGS, _KNOWN_SHARE = 500, 0.02


class Row(NamedTuple):
    """One row: two loads by a measure, or a value in a unit; the first word is its number."""

    what: str
    measure: str
    target: str
    this: Load | None = None
    reference: Load | None = None
    value: Callable[[Side], float] | None = None
    pairs_max: int = 99

    @property
    def number(self) -> str:
        """Return the number of the row."""
        return self.what.partition(" ")[0]


def post(
    load: str, count: int, batch: int, where: Where, side: Side, *, known: bool = False
) -> Sample:
    """Measure ratings; with `known` one in fifty was sent before."""
    target = where(side)
    again = [*side.ratings(target, _KNOWN_RATINGS)] if known else []
    fill(target, again)
    events = side.ratings(target, side.size(count, 2 * batch))
    if known:
        random = Random(0)
        events = (random.choice(again) if random.random() < _KNOWN_SHARE else e for e in events)
    requests = posts(target, events, batch, frozenset(again))
    return side.measure_requests(load, target, requests, CLIENTS if batch == 1 else BULK_CLIENTS)


def get(
    load: str, path: str, count: int, where: Where, side: Side, *, connections: int = CLIENTS
) -> Sample:
    """Measure GETs of a path of every shop in turn."""
    target = where(side)
    # Reversed names are in an order that no index has.
    names = cycle(sorted(side.names, key=lambda name: name[::-1]))
    requests = [
        Request(raw_request(f"GET {path.format(name)}", target.key), name.encode())
        for name in islice(names, side.size(count))
    ]
    return side.measure_requests(load, target, requests, connections)


def on_fresh(ratings_count: int, load: LoadWhere, side: Side) -> Sample:
    """Measure a load on a database with few ratings."""
    with side.fresh(ratings_count) as target:
        return load(lambda _: target, side)


def with_slow_flushes(load: Load, side: Side) -> Sample:
    """Measure a load while each flush of Postgres takes 1 ms longer."""
    with databases.slow_flushes(side.url):
        return load(side)


def copy(load: str, batch: int, side: Side) -> Sample:
    """Measure COPY of the ratings that the service has just stored, so many a commit."""
    return side.measure(load, None, databases.copier(side.url, side.prefix, side.count, batch))


def get_many(side: Side) -> Sample:
    """Measure requests for 200 scorecards; a unit is a scorecard."""
    names = side.names[:_MANY_SHOPS]
    path = f"/v1/scorecards?{'&'.join(f'shop_id={name}' for name in names)}"
    raw = raw_request(f"GET {path}", side.world.key)
    requests = [Request(raw, names[-1].encode(), len(names))] * side.size(40)
    return side.measure_requests("get_many", side.world, requests, 1)


def peer_snapshot(side: Side) -> Sample:
    """Measure one peer snapshot."""
    work = partial(take_snapshot, side.world)
    return side.measure("peer_snapshot", side.world.server, work)


def raw_pass(side: Side) -> Sample:
    """Measure one aggregate over the raw ratings of 180 days."""
    return side.measure("raw_pass", None, partial(databases.time_aggregate, side.url))


def post_to_history(what: str, place: int, side: Side) -> Sample:
    """Measure single events of an id that has a history, on one connection."""
    target, (kind, measured_kind) = side.world, worlds.HISTORIES[what]
    size, name = side.scale.histories[place], side.new_prefix()
    fill(target, worlds.history(kind, name, size))
    requests = posts(target, worlds.history(measured_kind, name, 50, size), 1)
    return side.measure_requests(f"{what} after {size:,}", target, requests, 1)


def fairness(side: Side) -> float:
    """Return the p99 of single posts under bulk, as a share of what is allowed."""
    target, port, is_over = side.world, side.world.server.port, Event()

    def ratings(count: int, batch: int) -> list[Request]:
        return list(posts(target, side.ratings(target, count), batch))

    def send_paced() -> Timing:
        singles = ratings(int(side.scale.paced_s * _PACE_PER_S), 1)
        return send(port, singles, 16, _PACE_PER_S)

    bulk, idle = send(port, ratings(15_000, 5_000)), send_paced()
    beside = ratings(side.size(300_000, 10_000), 5_000)
    until_over = (request for request in beside if not is_over.is_set())
    with ThreadPoolExecutor() as pool:
        others = pool.submit(send, port, until_over, BULK_CLIENTS)
        busy = send_paced()
        is_over.set()
        others.result()
    return busy.latency_ms(0.99) / (_IDLE_FACTOR * idle.latency_ms(0.99) + bulk.latency_ms(0.5))


def memory_after_start(side: Side) -> float:
    """Return the memory of a worker that has served nothing."""
    with side.checkout.serve(database_url=side.url) as process:
        return process.memory_mib()


def memory_growth(side: Side) -> float:
    """Return the memory after later rounds of loads ÷ after earlier ones."""
    after = []
    for _ in range(side.scale.rounds):
        for load in (_BULK_5000, _SINGLE, _GET):
            load(side)
        after.append(side.world.server.memory_mib())
    # The first round fills what is remembered.
    half = len(after) // 2
    return median(after[half + 1 :]) / median(after[1 : half + 1])


def memory_peak(side: Side) -> float:
    """Return the highest memory of the worker under all loads of this run."""
    return side.world.server.memory_mib("VmHWM")


def start(side: Side) -> float:
    """Return the seconds from the command to readiness, embedded Postgres included."""
    with side.checkout.serve(data_dir=side.data_dir) as process:
        return process.ready_s


_WORLD, _TWO, _PLAIN = map(attrgetter, ("world", "two_workers", "plain"))
_BULK = partial(post, "bulk_1000", 64_000, 1_000, _WORLD)
_BULK_TWO = partial(post, "bulk_two_workers", 64_000, 1_000, _TWO)
_BULK_FRESH = partial(on_fresh, 5_000, partial(post, "bulk_fresh", 64_000, 1_000))
_BULK_5000 = partial(post, "bulk_5000", 120_000, 5_000, _WORLD)
_BULK_500 = partial(post, "bulk_500", 48_000, 500, _WORLD)
_KNOWN_500 = partial(post, "bulk_500_known", 48_000, 500, _WORLD, known=True)
_SINGLE = partial(post, "single", 16_000, 1, _WORLD)
_SINGLE_SLOW = partial(with_slow_flushes, partial(post, "single_slow", 6_000, 1, _WORLD))
_PLAIN_SINGLE = partial(post, "plain_single", 3_000, 1, _PLAIN)
_PLAIN_500 = partial(post, "plain_500", 32_000, 500, _PLAIN)
_PLAIN_KNOWN_500 = partial(post, "plain_500_known", 4_000, 500, _PLAIN, known=True)
_GET = partial(get, "get", _SCORECARD, 30_000, _WORLD)
_GET_TWO = partial(get, "get_two_workers", _SCORECARD, 30_000, _TWO)
_GET_FRESH = partial(on_fresh, 10_000, partial(get, "get_fresh", _SCORECARD, 30_000))
_GET_SINGLY = partial(get, "get_singly", _SCORECARD, 2_000, _WORLD, connections=1)
_PLAIN_GET = partial(get, "plain_get", "/shops/{}/average", 2_000, _PLAIN)
_EMPTY = partial(get, "empty_handler", "/v1/shops/{}/nothing", 40_000, attrgetter("empty"))
_COPY = partial(copy, "copy", 1_000)
_COMMITS_SLOW = partial(with_slow_flushes, partial(copy, "commits", 1))

ROWS = [
    Row("1 bulk, 1,000 a request ÷ COPY", "CPU", "≤ 2.5", _BULK, _COPY),
    Row("2 bulk, 5,000 a request ÷ COPY", "rate", "≥ 0.45", _BULK_5000, _COPY),
    Row("2w bulk on two workers ÷ one", "rate", "≥ 1.3", _BULK_TWO, _BULK),
    Row("3 single events ÷ empty handler", "rate", "≥ 0.22", _SINGLE, _EMPTY),
    Row("4 single events ÷ commits, flush + 1 ms", "rate", "≥ 10", _SINGLE_SLOW, _COMMITS_SLOW),
    Row("5 `GET /scorecard` ÷ empty handler", "rate", "≥ 0.42", _GET, _EMPTY),
    Row("5w `GET /scorecard` on two workers ÷ one", "rate", "≥ 1.25", _GET_TWO, _GET),
    Row("6 `GET /scorecard` ÷ at 10,000 ratings", "rate", "≥ 0.95", _GET, _GET_FRESH),
    Row("7 `GET /scorecards` of 200 ÷ 200 single GETs", "time", "≤ 0.04", get_many, _GET_SINGLY),
    Row("8 peer snapshot ÷ one pass over raw ratings", "time", "≤ 0.10", peer_snapshot, raw_pass),
    Row("9a single events ÷ plain service", "rate", "≥ 3.5", _SINGLE, _PLAIN_SINGLE),
    Row("9b batches of 500 ÷ plain service", "rate", "≥ 2", _BULK_500, _PLAIN_500),
    Row("9c the same, 2 % known ÷ plain service", "rate", "≥ 18", _KNOWN_500, _PLAIN_KNOWN_500),
    Row("9d `GET /scorecard` ÷ plain service", "rate", "≥ 9", _GET, _PLAIN_GET),
    Row("10 bulk ÷ bulk on an empty database", "rate", "≥ 0.9", _BULK, _BULK_FRESH),
    Row("F p99 of singles under bulk ÷ allowed p99", "", "≤ 1", value=fairness, pairs_max=3),
    *(
        Row(f"G {what} at step {place} ÷ at step 0", "latency", "≤ 2", *loads, pairs_max=3)
        for what in worlds.HISTORIES
        for first, *others in [[partial(post_to_history, what, step) for step in range(3)]]
        for place, loads in enumerate(((load, first) for load in others), start=1)
    ),
    Row("11a memory of a worker at start", "MiB", "≤ 120", value=memory_after_start, pairs_max=3),
    Row("11c memory after rounds of loads ÷ before", "", "≤ 1.1", value=memory_growth, pairs_max=1),
    Row("11b peak memory under these loads", "MiB", "≤ 250", value=memory_peak, pairs_max=1),
    Row("12 ready after start with its Postgres", "s", "≤ 2", value=start, pairs_max=3),
]
