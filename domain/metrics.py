"""Metrics: ratios of window sums of counters, a line each.

A metric's numerator and denominator are weighted sums of counters over one window.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from domain.counters import DIMENSIONS, STARS, Dimension, WindowName
from domain.rules import Rules

MetricUnit = Literal["score", "rate", "money"]
Weights: TypeAlias = Mapping[str, int]
"""The factor of each counter in a sum."""


class Metric(msgspec.Struct, frozen=True):
    """A figure of a shop; one without a denominator is a sum.

    Where the rules say that refunds reduce sales, `refunds` are subtracted from the numerator,
    down to 0 at the least.
    """

    key: str
    unit: MetricUnit
    better: Literal["high", "low"]
    window: WindowName
    numerator: Weights
    denominator: Weights = {}
    refunds: Weights = {}

    @property
    def parts(self) -> dict[str, Weights]:
        """Return the weights of each sum of the metric, by the name of its column."""
        sums = {"numerator": self.numerator, "denominator": self.denominator}
        return {
            f"{self.key}_{name}": weights
            for name, weights in (sums | {"refunds": self.refunds}).items()
            if weights
        }


def _dsr(dimension: Dimension) -> Metric:
    return Metric(
        key=f"dsr_{dimension}",
        unit="score",
        better="high",
        window="rating",
        numerator={f"{dimension}_{stars}": stars for stars in STARS},
        denominator={f"{dimension}_{stars}": 1 for stars in STARS},
    )


SELL_THROUGH = Metric("sell_through", "rate", "high", "ever", {"sold": 1}, {"on_sale": 1})
SALES = Metric("sales", "money", "high", "sales", {"paid": 1}, refunds={"refunded": 1})
DSR: dict[Dimension, Metric] = {dimension: _dsr(dimension) for dimension in DIMENSIONS}

METRICS: tuple[Metric, ...] = (*DSR.values(), SELL_THROUGH, SALES)
RATIOS: tuple[Metric, ...] = tuple(metric for metric in METRICS if metric.denominator)

PARTS: dict[str, Weights] = {
    part: weights for metric in METRICS for part, weights in metric.parts.items()
}
WINDOW_OF_PART: dict[str, WindowName] = {
    part: metric.window for metric in METRICS for part in metric.parts
}


def denominator_min(metric: Metric, rules: Rules) -> int:
    """Return the least denominator with which a ratio has a value under these rules."""
    return rules.min_ratings if metric.unit == "score" else 1
