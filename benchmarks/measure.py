"""The measuring of loads, and the sides of a run: checkouts with databases of their own."""

import gc
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks import client, databases, worlds
from benchmarks.client import Failed, Request, Timing, request
from benchmarks.servers import Checkout, Process, service

CLIENTS, BULK_CLIENTS = 64, 8
_TICK_S = 0.01


class Scale(msgspec.Struct, frozen=True):
    """The size of the world and of each load."""

    form: str = "full"
    events: int = 10_000_000
    shops: int = 10_000
    pairs: int = 9
    share: float = 1.0
    """The share of its full number of requests that a load has."""
    histories: tuple[int, ...] = (10, 1_000, 100_000)
    paced_s: float = 5.0
    rounds: int = 7


QUICK = Scale("quick", 20_000, 200, 1, 0.02, (10, 30, 100), 0.5, 3)


class Sample(msgspec.Struct, frozen=True):
    """One load as it went; processor time in microseconds a unit, user and system."""

    load: str
    rate: float
    cpu_us: float
    """Of worker and Postgres together."""
    postgres_us: float
    client_us: float
    p50_ms: float
    p99_ms: float


class Target(NamedTuple):
    """A service that takes ratings, and the table that it stores them in."""

    server: Process
    url: str
    key: str
    path: str = "/v1/events"
    table: str = "ratings"
    encode: Callable[[dict[str, Any]], bytes] = worlds.rating_event


class Bench:
    """What the sides of a run share."""

    postgres: Process
    empty: Target
    plain: Target

    def __init__(self, scale: Scale, data_dir: Path) -> None:
        self.scale = scale
        self.data_dir = data_dir
        self.names = [f"shop-{number:05d}" for number in range(scale.shops)]
        self.stored: Counter[tuple[str, str]] = Counter()
        """Ratings that were answered as stored, by database and table."""
        self.loads: Counter[str] = Counter()
        """Loads so far, by the name of the side."""
        self._begun = time.monotonic()

    def say(self, text: str) -> None:
        """Write how far the run is."""
        sys.stderr.write(f"{time.monotonic() - self._begun:6.1f} s  {text}\n")

    def count(self, full: int, at_least: int = 2) -> int:
        """Return the size of a load, from its size in the full form."""
        return max(at_least, int(full * self.scale.share))

    def measure(self, load: str, server: Process | None, work: Callable[[], Timing]) -> Sample:
        """Run a load and note what it took of each process."""
        processes = [self.postgres, *([server] if server else [])]
        # What was prepared stays to the end of the load; nothing else makes cycles.
        gc.collect()
        gc.freeze()
        before_s = [process.cpu_s() for process in processes]
        client_s = time.process_time()
        timing = work()
        client_s = time.process_time() - client_s
        # A tiny load may take no tick of the clock.
        used_s = [
            max(_TICK_S, process.cpu_s() - before)
            for process, before in zip(processes, before_s, strict=True)
        ]
        gc.unfreeze()
        unit_us = 1_000_000 / timing.units
        sample = Sample(
            load,
            timing.units / timing.seconds,
            sum(used_s) * unit_us,
            used_s[0] * unit_us,
            client_s * unit_us,
            timing.latency_ms(0.5),
            timing.latency_ms(0.99),
        )
        self.say(f"{load}: {sample.rate:,.1f} /s, {sample.cpu_us:,.1f} µs")
        return sample

    def get(
        self, load: str, server: Process, requests: list[Request], connections: int = CLIENTS
    ) -> Sample:
        """Measure requests that store no ratings."""
        return self.measure(load, server, lambda: client.send(server.port, requests, connections))

    def post(
        self,
        load: str,
        target: Target,
        events: Iterable[bytes],
        batch: int,
        sent_before: frozenset[bytes] = frozenset(),
    ) -> Sample:
        """Measure requests that store ratings."""
        requests = list(posts(target, events, batch, sent_before))
        self.stored[target.url, target.table] += sum(item.stored for item in requests)
        connections = CLIENTS if batch == 1 else BULK_CLIENTS
        return self.get(load, target.server, requests, connections)

    def fill(self, target: Target, events: Iterable[bytes], *, are_ratings: bool = True) -> None:
        """Store events outside of any measurement."""
        timing = client.send(target.server.port, posts(target, events, 5_000), BULK_CLIENTS)
        if are_ratings:
            self.stored[target.url, target.table] += timing.units

    def check_stored(self, url: str) -> None:
        """Compare the ratings in a database with those that were answered as stored."""
        for (place, table), answered in self.stored.items():
            if place == url:
                stored = databases.value(url, f"select count(*) from {table}")  # noqa: S608
                if answered != stored:
                    raise Failed(f"{table}: {answered:,} answered as stored, {stored:,} stored")


def posts(
    target: Target, events: Iterable[bytes], batch: int, sent_before: frozenset[bytes] = frozenset()
) -> Iterator[Request]:
    """Build requests of so many events each."""
    for texts in worlds.batches(events, batch):
        stored = len(texts) - sum(text in sent_before for text in texts)
        body = texts[0] if batch == 1 else b"[%s]" % b",".join(texts)
        expected = b'"stored":%d,' % stored
        item = request(f"POST {target.path}", target.key, body, expected, len(texts))
        yield item._replace(stored=stored)


class Side:
    """A checkout of the service with a world in a database of its own."""

    def __init__(self, bench: Bench, checkout: Checkout, url: str, stack: ExitStack) -> None:
        self.bench = bench
        self.checkout = checkout
        self.url = url
        self.prefix = ""
        """The beginning of the ids of the last load."""
        self._stack = stack

    def new_prefix(self) -> str:
        """Return a prefix that is unique per side, numbered alike on every side."""
        name = self.checkout.name
        self.bench.loads[name] += 1
        self.prefix = f"{name}-{self.bench.loads[name]:04d}"
        return self.prefix

    @cached_property
    def world(self) -> Target:
        """The service on the filled database."""
        process = self._stack.enter_context(service(self.checkout, database_url=self.url))
        return Target(process, self.url, self.checkout.key(self.url))

    @cached_property
    def two_workers(self) -> Target:
        """The same with two workers, from its first use on."""
        two = service(self.checkout, workers=2, database_url=self.url)
        return self.world._replace(server=self._stack.enter_context(two))

    @contextmanager
    def fresh(self, ratings: int) -> Iterator[Target]:
        """Serve a new database with the same shops and some ratings, for the block."""
        name = f"fresh_{self.checkout.name}"
        url = databases.database(self.url, name)
        databases.execute(self.url, f"drop database if exists {name}", f"create database {name}")
        self.bench.stored[url, "ratings"] = 0
        with service(self.checkout, database_url=url) as process:
            target = Target(process, url, self.checkout.key(url))
            self._register(target)
            self._fill_ratings(target, self.bench.names, ratings)
            take_snapshot(target)
            yield target
        self.bench.check_stored(url)
        databases.execute(self.url, f"drop database {name}")

    def fill(self) -> None:
        """Fill the world through the service."""
        bench, scale = self.bench, self.bench.scale
        self._register(self.world)
        bench.fill(self.world, worlds.sales(bench.names), are_ratings=False)
        self._fill_ratings(self.world, bench.names, scale.events)
        self._fill_ratings(self.world, [worlds.HUGE], scale.events // 10)
        take_snapshot(self.world)
        databases.execute(self.url, "vacuum (analyze)", "checkpoint")

    def _fill_ratings(self, target: Target, shops: list[str], count: int) -> None:
        drawn = worlds.ratings(self.new_prefix(), shops, count, worlds.DAYS)
        self.bench.fill(target, map(target.encode, drawn))

    def _register(self, target: Target) -> None:
        """Register the shops, and a ladder for every other category."""
        kind = {"marketplace": worlds.MARKETPLACE, "currency": "CNY"}
        shops = [
            {"shop_id": name, "category": worlds.category(place), **kind}
            for place, name in enumerate([worlds.HUGE, worlds.LONG, *self.bench.names])
        ]
        encode, key = msgspec.json.encode, target.key
        requests = [
            request("POST /v1/shops", key, encode(some), b'"rejected_count":0')
            for some in worlds.batches(shops, 1_000)
        ]
        ladder = encode({"currency": "CNY", "amounts": worlds.LADDER})
        for place in range(0, worlds.CATEGORIES, 2):
            path = f"/v1/ladders/{worlds.MARKETPLACE}/{worlds.category(place)}"
            requests.append(request(f"PUT {path}", key, ladder))
        client.send(target.server.port, requests)


def take_snapshot(target: Target) -> Timing:
    """Let the service take a peer snapshot."""
    return client.send(target.server.port, [request("POST /v1/peer-snapshots", target.key)])
