"""The rows of the table: what is measured, the reference beside it, and the target."""

from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from operator import attrgetter
from random import Random
from statistics import median
from typing import NamedTuple

from benchmarks import client, databases, worlds
from benchmarks.client import request
from benchmarks.measure import CLIENTS, Sample, Side, Target, posts, take_snapshot
from benchmarks.servers import service

Load = Callable[[Side], Sample]
Where = Callable[[Side], Target]

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
    stage: str = "running"
    """What else runs: `running` all, `slow disk` a Postgres with slow flushes, `stopped` none."""
    pairs_max: int = 99

    @property
    def number(self) -> str:
        """Return the number of the row."""
        return self.what.partition(" ")[0]


def post(
    load: str, where: Where, count: int, batch: int, side: Side, *, known: bool = False
) -> Sample:
    """Measure ratings; with `known` one in fifty was sent before."""
    bench, target = side.bench, where(side)
    again: list[bytes] = []
    if known:
        drawn = worlds.ratings(side.new_prefix(), bench.names, _KNOWN_RATINGS)
        again.extend(map(target.encode, drawn))
        bench.fill(target, again)
    drawn = worlds.ratings(side.new_prefix(), bench.names, bench.count(count, 2 * batch))
    events = map(target.encode, drawn)
    if not known:
        return bench.post(load, target, events, batch)
    random = Random(0)
    mixed = (random.choice(again) if random.random() < _KNOWN_SHARE else text for text in events)
    return bench.post(load, target, mixed, batch, frozenset(again))


def bulk_fresh(side: Side) -> Sample:
    """Measure batches on a database with hardly any ratings."""
    with side.fresh(ratings=5_000) as target:
        return post("bulk_fresh", lambda _: target, 64_000, 1_000, side)


def copy(load: str, batch: int, side: Side) -> Sample:
    """Measure COPY of the ratings that the service has just stored, so many a commit."""
    return side.bench.measure(load, None, databases.copier(side.url, side.prefix, batch))


def get(
    load: str, where: Where, path: str, count: int, side: Side, *, connections: int = CLIENTS
) -> Sample:
    """Measure GETs of a path of every shop in turn."""
    target = where(side)
    # Reversed names are in an order that no index has.
    names = cycle(sorted(side.bench.names, key=lambda name: name[::-1]))
    requests = [
        request(f"GET {path.format(name)}", target.key, expected=b'"shop_id":"%s"' % name.encode())
        for name in islice(names, side.bench.count(count))
    ]
    return side.bench.get(load, target.server, requests, connections)


def get_fresh(side: Side) -> Sample:
    """Measure scorecards on a database with few ratings."""
    with side.fresh(ratings=10_000) as target:
        return get("get_fresh", lambda _: target, _SCORECARD, 30_000, side)


def get_many(side: Side) -> Sample:
    """Measure requests for 200 scorecards; a unit is a scorecard."""
    names = side.bench.names[:_MANY_SHOPS]
    path = f"/v1/scorecards?{'&'.join(f'shop_id={name}' for name in names)}"
    expected = b'"shop_id":"%s"' % names[-1].encode()
    many = request(f"GET {path}", side.world.key, expected=expected, units=len(names))
    return side.bench.get("get_many", side.world.server, [many] * side.bench.count(40), 1)


def snapshot(side: Side) -> Sample:
    """Measure one peer snapshot."""
    work = partial(take_snapshot, side.world)
    return side.bench.measure("peer_snapshot", side.world.server, work)


def raw_pass(side: Side) -> Sample:
    """Measure one aggregate over the raw ratings of 180 days."""
    return side.bench.measure("raw_pass", None, partial(databases.time_aggregate, side.url))


def read(shop: str, path: str, side: Side) -> Sample:
    """Measure one read of one shop, on one connection."""
    requests = [request(f"GET /v1/shops/{shop}{path}", side.world.key)] * side.bench.count(200)
    return side.bench.get(f"{shop}{path}", side.world.server, requests, 1)


def post_to_history(what: str, place: int, side: Side) -> Sample:
    """Measure single events of an id that has a history, on one connection."""
    bench, target, (kind, measured_kind) = side.bench, side.world, worlds.HISTORIES[what]
    size, name = bench.scale.histories[place], side.new_prefix()
    are_ratings = kind == "review.posted"
    bench.fill(target, worlds.history(kind, name, size), are_ratings=are_ratings)
    requests = list(posts(target, worlds.history(measured_kind, name, 50, size), 1))
    bench.stored[target.url, target.table] += len(requests) if are_ratings else 0
    return bench.get(f"{what} after {size:,}", target.server, requests, 1)


def fairness(side: Side) -> float:
    """Return the p99 of single posts under bulk, as a share of what is allowed."""
    bench, target = side.bench, side.world
    port, singles = target.server.port, int(bench.scale.paced_s * _PACE_PER_S)

    def ratings(count: int, batch: int) -> list[client.Request]:
        drawn = worlds.ratings(side.new_prefix(), bench.names, count)
        return list(posts(target, map(target.encode, drawn), batch))

    bulk = client.send(port, ratings(15_000, 5_000))
    idle, _ = client.send_paced(port, ratings(singles, 1), _PACE_PER_S)
    beside = ratings(bench.count(300_000, 10_000), 5_000)
    busy, others = client.send_paced(port, ratings(singles, 1), _PACE_PER_S, beside)
    stored = sum(timing.units for timing in (bulk, idle, busy, others))
    bench.stored[target.url, target.table] += stored
    return busy.latency_ms(0.99) / (_IDLE_FACTOR * idle.latency_ms(0.99) + bulk.latency_ms(0.5))


def memory_after_start(side: Side) -> float:
    """Return the memory of a worker that has served nothing."""
    with service(side.checkout, database_url=side.url) as process:
        return process.memory_mib()


def memory_growth(side: Side) -> float:
    """Return the memory after later rounds of loads ÷ after earlier ones."""
    after = []
    for _ in range(side.bench.scale.rounds):
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
    with service(side.checkout, data_dir=side.bench.data_dir) as process:
        return process.ready_s


_WORLD, _TWO, _PLAIN = map(attrgetter, ("world", "two_workers", "bench.plain"))
_BULK = partial(post, "bulk_1000", _WORLD, 64_000, 1_000)
_BULK_TWO = partial(post, "bulk_two_workers", _TWO, 64_000, 1_000)
_BULK_5000 = partial(post, "bulk_5000", _WORLD, 120_000, 5_000)
_BULK_500 = partial(post, "bulk_500", _WORLD, 48_000, 500)
_KNOWN_500 = partial(post, "bulk_500_known", _WORLD, 48_000, 500, known=True)
_SINGLE = partial(post, "single", _WORLD, 16_000, 1)
_SINGLE_SLOW = partial(post, "single_slow", _WORLD, 6_000, 1)
_PLAIN_SINGLE = partial(post, "plain_single", _PLAIN, 3_000, 1)
_PLAIN_500 = partial(post, "plain_500", _PLAIN, 32_000, 500)
_PLAIN_KNOWN_500 = partial(post, "plain_500_known", _PLAIN, 4_000, 500, known=True)
_GET = partial(get, "get", _WORLD, _SCORECARD, 30_000)
_GET_TWO = partial(get, "get_two_workers", _TWO, _SCORECARD, 30_000)
_GET_SINGLY = partial(get, "get_singly", _WORLD, _SCORECARD, 2_000, connections=1)
_PLAIN_GET = partial(get, "plain_get", _PLAIN, "/shops/{}/average", 2_000)
_EMPTY = partial(get, "empty_handler", attrgetter("bench.empty"), "/v1/shops/{}/nothing", 40_000)
_COPY, _COMMITS = partial(copy, "copy", 1_000), partial(copy, "commits", 1)

ROWS = [
    Row("1 bulk, 1,000 a request ÷ COPY", "CPU", "≤ 2.5", _BULK, _COPY),
    Row("2 bulk, 5,000 a request ÷ COPY", "rate", "≥ 0.45", _BULK_5000, _COPY),
    Row("2w bulk on two workers ÷ one", "rate", "≥ 1.3", _BULK_TWO, _BULK),
    Row("3 single events ÷ empty handler", "rate", "≥ 0.22", _SINGLE, _EMPTY),
    Row(
        "4 single events ÷ single commits, flushes 1 ms longer",
        "rate",
        "≥ 10",
        _SINGLE_SLOW,
        _COMMITS,
        stage="slow disk",
    ),
    Row("5 `GET /scorecard` ÷ empty handler", "rate", "≥ 0.42", _GET, _EMPTY),
    Row("5w `GET /scorecard` on two workers ÷ one", "rate", "≥ 1.25", _GET_TWO, _GET),
    Row("6 `GET /scorecard` ÷ at 10,000 ratings", "rate", "≥ 0.95", _GET, get_fresh),
    Row("7 `GET /scorecards` of 200 ÷ 200 single GETs", "time", "≤ 0.04", get_many, _GET_SINGLY),
    Row("8 peer snapshot ÷ one pass over raw ratings", "time", "≤ 0.10", snapshot, raw_pass),
    Row("9a single events ÷ plain service", "rate", "≥ 3.5", _SINGLE, _PLAIN_SINGLE),
    Row("9b batches of 500 ÷ plain service", "rate", "≥ 2", _BULK_500, _PLAIN_500),
    Row("9c the same, 2 % known ÷ plain service", "rate", "≥ 18", _KNOWN_500, _PLAIN_KNOWN_500),
    Row("9d `GET /scorecard` ÷ plain service", "rate", "≥ 9", _GET, _PLAIN_GET),
    Row("10 bulk ÷ bulk on an empty database", "rate", "≥ 0.9", _BULK, bulk_fresh),
    Row("F p99 of singles under bulk ÷ allowed p99", "", "≤ 1", value=fairness, pairs_max=3),
    *(
        Row(
            f"G an event of {what} at step {place} of its history ÷ at step 0",
            "latency",
            "≤ 2",
            partial(post_to_history, what, place),
            partial(post_to_history, what, 0),
            pairs_max=3,
        )
        for what in worlds.HISTORIES
        for place in (1, 2)
    ),
    *(
        Row(
            f"L `GET {path}` of a shop of a tenth of all ratings ÷ of another",
            *("latency", "", partial(read, worlds.HUGE, path), partial(read, "shop-00001", path)),
            pairs_max=3,
        )
        for path in ("/scorecard", "/dsr", "/reviews?limit=50")
    ),
    Row("11a memory of a worker at start", "MiB", "≤ 120", value=memory_after_start, pairs_max=3),
    Row("11c memory after rounds of loads ÷ before", "", "≤ 1.1", value=memory_growth, pairs_max=1),
    Row("11b peak memory under these loads", "MiB", "≤ 250", value=memory_peak, pairs_max=1),
    Row(
        "12 ready after start with embedded Postgres",
        "s",
        "≤ 2",
        value=start,
        stage="stopped",
        pairs_max=3,
    ),
]
