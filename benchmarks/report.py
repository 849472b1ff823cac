"""The results of a run: a JSON file, and tables rendered from it."""

import operator
import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import pandas as pd

from benchmarks.measure import Sample, Scale
from benchmarks.rows import Row

_STATISTICS = ["median", "min", "max"]
_HOLDS = {"≤": operator.le, "≥": operator.ge}


class Pair(msgspec.Struct):
    """One measurement of a row by one checkout: a ratio with its two loads, or a value."""

    row: str
    side: str
    value: float
    loads: list[Sample] = []


class Document(msgspec.Struct):
    """Everything that a run measured."""

    at: datetime
    scale: Scale
    checkouts: dict[str, str]
    """Their commits, by name."""
    machine: str = f"{os.cpu_count()} processors, {platform.platform()}"
    pairs: list[Pair] = []

    def write(self, folder: Path, rows: Sequence[Row]) -> None:
        """Write the figures of a run as JSON, and its tables."""
        folder.mkdir(parents=True, exist_ok=True)
        raw = msgspec.json.format(msgspec.json.encode(self), indent=1)
        (folder / f"{self.scale.form}.json").write_bytes(raw + b"\n")
        (folder / f"{self.scale.form}.md").write_text(self.render(rows), "utf-8")

    def render(self, rows: Sequence[Row]) -> str:
        """Render every table of a run in Markdown."""
        scale = self.scale
        head = (
            f"Run of {self.at:%Y-%m-%d}, form `{scale.form}`: {scale.events:,} ratings over "
            f"{scale.shops:,} shops, at most {scale.pairs} pairs a row; {self.machine}."
        )
        parts = [head]
        loads = {side: self._loads(side) for side in self.checkouts}
        for side, commit in self.checkouts.items():
            values = pd.DataFrame(
                [(pair.row, pair.value) for pair in self.pairs if pair.side == side],
                columns=["what", "value"],
            )
            judged = pd.DataFrame(rows)[["what", "measure", "target"]].set_index("what")
            judged = judged.join(values.groupby("what")["value"].agg(_STATISTICS))
            judged["missed"] = [*map(_is_missed, judged["target"], judged["median"])]
            medians = loads[side].groupby("load", sort=False).median()
            parts += [f"Checkout `{side}`, commit {commit}:", _table(judged), _table(medians)]
        if "other" in loads:
            ratios = loads["this"].set_index("load", append=True) / loads["other"].set_index(
                "load", append=True
            )
            compared = ratios[["cpu_us", "rate"]].groupby("load", sort=False).agg(_STATISTICS)
            compared.columns = [" ".join(names) for names in compared.columns]
            parts += ["`this` ÷ `other`, pair by pair:", _table(compared)]
        return "\n\n".join(parts) + "\n"

    def _loads(self, side: str) -> pd.DataFrame:
        samples = [it for pair in self.pairs if pair.side == side for it in pair.loads]
        return pd.DataFrame(map(msgspec.to_builtins, samples))


def _is_missed(target: str, median: float) -> str:
    sign, _, bound = target.partition(" ")
    return "missed" if bound and not _HOLDS[sign](median, float(bound)) else ""


def _table(frame: pd.DataFrame) -> str:
    rounded = frame.map(lambda value: value if isinstance(value, str) else _rounded(value))
    table: str = rounded.to_markdown(disable_numparse=True)
    return table


def _rounded(value: float) -> str:
    return "" if pd.isna(value) else f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"
