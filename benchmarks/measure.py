"""The measuring of loads, and the sides of a run: checkouts with databases of their own."""

import gc
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks import client, databases, worlds
from benchmarks.client import Request, Timing, raw_request
from benchmarks.servers import Checkout, Process

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
    """A service that takes ratings."""

    server: Process
    key: str
    path: str = "/v1/events"
    encode: Callable[[dict[str, Any]], bytes] = worlds.rating_event


def posts(
    target: Target, events: Iterable[bytes], batch: int, known: frozenset[bytes] = frozenset()
) -> Iterator[Request]:
    """Build requests of so many events each, of which some are known to the target."""
    for texts in worlds.batches(events, batch):
        stored = sum(text not in known for text in texts)
        body = texts[0] if batch == 1 else b"[%s]" % b",".join(texts)
        raw = raw_request(f"POST {target.path}", target.key, body)
        yield Request(raw, b'"stored":%d,' % stored, len(texts))


@dataclass
class Side:
    """A checkout of the service with a world in a database of its own."""

    scale: Scale
    checkout: Checkout
    data_dir: Path
    url: str
    postgres: Process
    stack: ExitStack
    empty: Target
    plain: Target | None = None
    prefix: str = ""
    """The beginning of the ids of the last ratings."""
    count: int = 0
    """The number of the last ratings."""
    _loads_count: int = 0

    @cached_property
    def names(self) -> list[str]:
        """The shops."""
        return [f"shop-{number:05d}" for number in range(self.scale.shops)]

    def size(self, full: int, at_least: int = 2) -> int:
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
        sys.stderr.write(f"{load}: {sample.rate:,.1f} /s, {sample.cpu_us:,.1f} µs\n")
        return sample

    def measure_requests(
        self, load: str, target: Target, requests: Iterable[Request], connections: int
    ) -> Sample:
        """Measure requests that are made before the clock starts."""
        work = partial(client.send, target.server.port, [*requests], connections)
        return self.measure(load, target.server, work)

    def new_prefix(self) -> str:
        """Return a prefix that is unique per side, numbered alike on every side."""
        self._loads_count += 1
        self.prefix = f"{self.checkout.name}-{self._loads_count:04d}"
        return self.prefix

    def ratings(self, target: Target, count: int, days: int = 0) -> Iterator[bytes]:
        """Draw new ratings."""
        self.count = count
        drawn = worlds.ratings(self.new_prefix(), self.names, count, days)
        return map(target.encode, drawn)

    @cached_property
    def world(self) -> Target:
        """The service on the filled database."""
        process = self.stack.enter_context(self.checkout.serve(database_url=self.url))
        return Target(process, self.checkout.key(self.url))

    @cached_property
    def two_workers(self) -> Target:
        """The same with two workers, from its first use on."""
        two = self.checkout.serve(workers=2, database_url=self.url)
        return self.world._replace(server=self.stack.enter_context(two))

    @contextmanager
    def fresh(self, ratings_count: int) -> Iterator[Target]:
        """Serve a new database with the same shops and some ratings, for the block."""
        name = f"fresh_{self.checkout.name}"
        url = databases.database(self.url, name)
        databases.execute(self.url, f"drop database if exists {name}", f"create database {name}")
        with self.checkout.serve(database_url=url) as process:
            target = Target(process, self.checkout.key(url))
            self._register(target)
            fill(target, self.ratings(target, ratings_count, worlds.DAYS))
            take_snapshot(target)
            yield target
        databases.execute(self.url, f"drop database {name}")

    def fill_world(self) -> None:
        """Fill the world through the service."""
        world = self.world
        self._register(world)
        fill(world, worlds.sales(self.names))
        fill(world, self.ratings(world, self.scale.events, worlds.DAYS))
        take_snapshot(world)
        databases.execute(self.url, "vacuum (analyze)", "checkpoint")

    def _register(self, target: Target) -> None:
        """Register the shops, and a ladder for every other category."""
        kind = {"marketplace": worlds.MARKETPLACE, "currency": "CNY"}
        shops = [
            {"shop_id": name, "category": worlds.category(place), **kind}
            for place, name in enumerate([worlds.LONG, *self.names])
        ]
        ladder = {"currency": "CNY", "amounts": worlds.LADDER}
        lines = [("POST /v1/shops", some) for some in worlds.batches(shops, 1_000)] + [
            (f"PUT /v1/ladders/{worlds.MARKETPLACE}/{worlds.category(place)}", ladder)
            for place in range(0, worlds.CATEGORIES, 2)
        ]
        client.send(
            target.server.port,
            [Request(raw_request(line, target.key, msgspec.json.encode(it))) for line, it in lines],
        )


def fill(target: Target, events: Iterable[bytes]) -> None:
    """Store events outside of any measurement."""
    client.send(target.server.port, posts(target, events, 5_000), BULK_CLIENTS)


def take_snapshot(target: Target) -> Timing:
    """Let the service take a peer snapshot."""
    snapshot = Request(raw_request("POST /v1/peer-snapshots", target.key))
    return client.send(target.server.port, [snapshot])
