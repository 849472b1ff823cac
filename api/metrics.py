"""Every metric of the service, by name."""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

import msgspec
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.recording import Outcome, Refused

UNREADABLE = "unreadable"
"""The type of an event that has none of the service's types."""

REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class QueueFigures(msgspec.Struct, frozen=True):
    """Counts of a queue of the ledger: batches, the events in them, seconds waited for them."""

    batches: int
    events: int
    waited_s: float


class StorageFigures(msgspec.Struct, frozen=True):
    """Counts of storage: its queues by name, and connections of its pool."""

    queues: Mapping[str, QueueFigures]
    connections_max: int
    connections_in_use: int
    connection_waits: int


class Metrics:
    """Counts and times what one application does; labels hold nothing that a caller chose."""

    def __init__(self, storage: Callable[[], StorageFigures]) -> None:
        self._registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        registry.register(_StorageCollector(storage))
        self._requests = Histogram(
            "shopdsr_request_duration_seconds",
            "Time from routing to the head of the answer.",
            ("route", "method", "status"),
            buckets=REQUEST_BUCKETS_S,
            registry=registry,
        )
        self._events = Counter(
            "shopdsr_events",
            "Events received, by what became of them.",
            ("type", "outcome"),
            registry=registry,
        )
        self._request = cache(self._requests.labels)
        self._event = cache(self._events.labels)

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count and time a request."""
        self._request(route, method, status).observe(seconds)

    def count_events(self, items: Iterable[msgspec.Struct], outcomes: Iterable[Outcome]) -> None:
        """Count events by type and outcome: `stored`, `duplicate` or the code of a refusal."""
        types = [item.__struct_config__.tag for item in items]
        names = [outcome.code if isinstance(outcome, Refused) else outcome for outcome in outcomes]
        for (type_, name), count in Counts(zip(types, names, strict=True)).items():
            self._event(type_ or UNREADABLE, name).inc(count)

    def exposition(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


class _StorageCollector(Collector):
    def __init__(self, storage: Callable[[], StorageFigures]) -> None:
        self._storage = storage

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of storage as metrics."""
        storage = self._storage()
        batches = CounterMetricFamily("shopdsr_batches", "Batches recorded.", labels=["queue"])
        events = CounterMetricFamily(
            "shopdsr_batch_events", "Events in these batches.", labels=["queue"]
        )
        waited = CounterMetricFamily(
            "shopdsr_batch_wait_seconds", "Time that requests waited for a batch.", labels=["queue"]
        )
        for name, queue in storage.queues.items():
            batches.add_metric([name], queue.batches)
            events.add_metric([name], queue.events)
            waited.add_metric([name], queue.waited_s)
        yield from (batches, events, waited)
        yield GaugeMetricFamily(
            "shopdsr_pool_connections_max", "Connections of the pool.", storage.connections_max
        )
        yield GaugeMetricFamily(
            "shopdsr_pool_connections_in_use", "Of these, in use.", storage.connections_in_use
        )
        yield CounterMetricFamily(
            "shopdsr_pool_waits", "Times that all were in use.", storage.connection_waits
        )
