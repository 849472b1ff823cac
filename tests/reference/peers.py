"""Compare a shop's figures with those of its peers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from tests.reference.arithmetic import (
    SCORE_DIGITS,
    percent_or_null,
    rounded_units,
    score_or_null,
)
from tests.reference.rules import Json

Group = tuple[str, str, str]


@dataclass(frozen=True)
class Snapshot:
    """Every shop's exact scores and sales of one date.

    `scores` is by (marketplace, category, dimension) and holds `ok` scores only; `sales` is by
    (marketplace, category, currency); both then by shop.
    """

    as_of: date
    scores: Mapping[Group, Mapping[str, Fraction]]
    sales: Mapping[Group, Mapping[str, int]]


def percentile(group: Mapping[str, Fraction] | Mapping[str, int], shop_id: str) -> Fraction | None:
    """Return the percent of other shops strictly below, or None for an absent shop."""
    if shop_id not in group or len(group) < 2:
        return None
    below = sum(value < group[shop_id] for value in group.values())
    return Fraction(100 * below, len(group) - 1)


def percentile_disc(values: list[int], share: Fraction) -> int:
    """Return the smallest value that at least `share` of all do not exceed."""
    return min(
        value
        for value in values
        if Fraction(sum(other <= value for other in values), len(values)) >= share
    )


def compare(
    score: Fraction | None,
    snapshot: Snapshot | None,
    group_key: Group,
    shop_id: str,
    min_shops: int,
) -> Json:
    """Return the `peers` member of a dimension."""
    answer: dict[str, Any] = dict.fromkeys(
        ("shops", "mean", "min", "max", "percentile", "relation", "percent", "flag")
    )
    answer["as_of"] = None if snapshot is None else snapshot.as_of.isoformat()
    if score is None:
        return {**answer, "status": "no_score"}
    if snapshot is None:
        return {**answer, "status": "no_snapshot"}
    group = snapshot.scores.get(group_key, {})
    if len(group) < min_shops:
        return {**answer, "status": "too_few_peers"}
    least, most = min(group.values()), max(group.values())
    mean = sum(group.values(), Fraction(0)) / len(group)
    relation = _relation(score, mean)
    span = {"above": most - mean, "below": mean - least, "level": Fraction(0)}[relation]
    percent = min(Fraction(100), 100 * abs(score - mean) / span) if span else None
    return {
        **answer,
        "status": "ok",
        "shops": len(group),
        "mean": score_or_null(mean),
        "min": score_or_null(least),
        "max": score_or_null(most),
        "percentile": percent_or_null(percentile(group, shop_id)),
        "relation": relation,
        "percent": percent_or_null(percent),
        "flag": {"above": "red", "below": "green", "level": "none"}[relation],
    }


def _relation(score: Fraction, mean: Fraction) -> str:
    mine, theirs = rounded_units(score, SCORE_DIGITS), rounded_units(mean, SCORE_DIGITS)
    if mine == theirs:
        return "level"
    return "above" if mine > theirs else "below"
