"""One run of the benchmarks: its processes, its world, and every load that was run."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks import processes
from benchmarks.clients import Client
from benchmarks.load import Load, Result
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.servers import Server


class LoadFailed(Exception):
    """A load was answered otherwise than it must be, so that no figure of it counts."""


class Served(msgspec.Struct, frozen=True):
    """A server that loads go to, with its key and its database."""

    server: Server
    key: str
    url: str


class Run(msgspec.Struct, frozen=True):
    """One load as it went; processor time in microseconds a unit, memory in MiB."""

    load: str
    units: str
    rate: float
    result: Result
    worker_us: float = 0.0
    postgres_us: float = 0.0
    client_us: float = 0.0
    worker_peak_mib: float = 0.0
    worker_after_mib: float = 0.0
    others_share: float = 0.0
    """Share of the machine's processors that was used by what is no part of this."""


class Bench:
    """What the parts of a run share."""

    def __init__(self, scale: Scale, data_dir: Path, clients: Sequence[Client]) -> None:
        self.scale = scale
        self.data_dir = data_dir
        self.clients = clients
        self.runs: list[Run] = []
        self.rows: list[Row] = []
        self.tables: dict[str, list[dict[str, object]]] = {}
        self.stored = 0
        """Ratings that answers of the world's service say are new."""
        self.names: tuple[str, ...] = ()
        self._numbered = 0
        self._begun = time.monotonic()

    def say(self, text: str) -> None:
        """Tell how far the run is."""
        sys.stderr.write(f"{time.monotonic() - self._begun:6.1f} s  {text}\n")
        sys.stderr.flush()

    def prefix(self) -> str:
        """Ids of one load that no other load has."""
        self._numbered += 1
        return f"{self._numbered:03d}"

    def run(self, load: Load, server: Server | None = None, units: str = "events") -> Run:
        """One load by one client process, alone."""
        return self.run_together([(load, server, units)])[0]

    def run_together(self, loads: Sequence[tuple[Load, Server | None, str]]) -> list[Run]:
        """Loads at once, each by a client process of its own."""
        pairs = list(zip(self.clients, loads, strict=False))
        for client, (load, _, _) in pairs:
            client.prepare(load)
        for client, _ in pairs:
            client.wait_ready()
        workers = {server.worker for _, server, _ in loads if server}
        for worker in workers:
            processes.forget_peak(worker)
        postgres = self._postgres()
        before = {pid: processes.cpu_s(pid) for pid in (postgres, *workers)}
        busy_before, begun = processes.machine_busy_s(), time.monotonic()
        for client, _ in pairs:
            client.go()
        results = [client.result() for client, _ in pairs]
        used = {pid: processes.cpu_s(pid) - before[pid] for pid in before}
        ours = sum(used.values()) + sum(result.client_cpu_s for result in results)
        others = processes.machine_busy_s() - busy_before - ours
        capacity = (time.monotonic() - begun) * (os.cpu_count() or 1)
        found = []
        for (load, server, units), result in zip(loads, results, strict=True):
            _check(load, result)
            worker = server.worker if server else 0
            each_us = 1_000_000 / max(result.units_all, 1)
            found.append(
                Run(
                    load=load.name,
                    units=units,
                    rate=result.rate,
                    result=result,
                    worker_us=used.get(worker, 0.0) * each_us,
                    postgres_us=used[postgres] * each_us,
                    client_us=result.client_cpu_s * each_us,
                    worker_peak_mib=processes.memory_mib(worker, "VmHWM"),
                    worker_after_mib=processes.memory_mib(worker),
                    others_share=max(0.0, others / capacity),
                )
            )
        self.runs.extend(found)
        return found

    def alternate(
        self, sides: Mapping[str, Callable[[], float]], repeats: int = 0
    ) -> dict[str, list[float]]:
        """Each side in turn, and again: A B A B …; a figure for each repeat."""
        figures: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(repeats or self.scale.repeats):
            for name, side in sides.items():
                figure = side()
                figures[name].append(figure)
                self.say(f"{name}: {figure:,.1f}")
        return figures

    def _postgres(self) -> int:
        """The number of the server of the world's databases; 0 where unknown."""
        try:
            pid_file = self.data_dir / "postgres" / "postmaster.pid"
            return int(pid_file.read_text().partition("\n")[0])
        except (OSError, ValueError):
            return 0


def _check(load: Load, result: Result) -> None:
    if result.failed:
        raise LoadFailed(f"{load.name}: {result.failed} failed, first {result.first_failure}")
    writes = load.recipe in ("events", "ratings")
    if writes and not load.duplicates and result.stored != result.units_all:
        raise LoadFailed(f"{load.name}: {result.units_all} sent, {result.stored} stored")
    if not result.units:
        raise LoadFailed(f"{load.name}: nothing was answered within its time")
