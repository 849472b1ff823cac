"""What the demo prints: answers of the service as aligned plain text, every figure as it came."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from api.scorecards import Scorecard
from domain.change import DimensionChange, Flow
from domain.counters import DIMENSIONS, STARS, Dimension
from domain.dsr import DimensionScore, DsrDetail
from domain.forecast import Forecast
from domain.plan import Plan
from domain.sell_through import SellThrough
from domain.tier import Tier


def overview(cards: Iterable[Scorecard], stories: Mapping[str, str]) -> str:
    """Render a line for each shop, with its story."""
    rows = [
        [
            card.shop_id,
            *(_score(_of(card.dsr, name)) for name in DIMENSIONS),
            _level(card.tier),
            _rate(card.sell_through),
            stories[card.shop_id],
        ]
        for card in cards
    ]
    return _table([["shop", *DIMENSIONS, "tier", "sell-through", "story"], *rows], left=(0, 6))


def scorecard(card: Scorecard) -> str:
    """Render a shop: each score with its ratings by stars, tier and sell-through."""
    span, tier, sold = card.dsr.window, card.tier, card.sell_through
    scores = [["", "score", "ratings", *(f"of {stars}" for stars in STARS)]]
    for name in DIMENSIONS:
        of = _of(card.dsr, name)
        scores.append([name, _score(of), str(of.count), *map(str, _stars(of))])
    goods = [
        [
            "tier",
            f"{_level(tier)}, {tier.band}",
            f"{tier.sales} {tier.currency} paid in {tier.window.days} days",
        ],
        [
            "sell-through",
            _rate(sold),
            f"{sold.sold} of {sold.on_sale} listings on sale sold in {sold.window.days} days",
        ],
    ]
    return _block(
        f"{card.shop_id}, {card.marketplace}/{card.category}, as of {card.as_of} in "
        f"{card.time_zone}, rules {card.rules.name} version {card.rules.version}",
        f"Ratings of the {span.days} days from {span.start}:",
        _table(scores, left=(0,)),
        _table(goods, left=(0, 1, 2)),
    )


def beside_peers(dsr: DsrDetail) -> str:
    """Render each score beside the mean of its peers, with percent and flag."""
    rows = [["", "score", "peers", "mean", "", "percent", "flag"]]
    for name in DIMENSIONS:
        of = getattr(dsr, name)
        peers = of.peers
        if peers.status != "ok":
            rows.append([name, _score(of), peers.status, "", "", "", ""])
            continue
        percent = "" if peers.percent is None else f"{peers.percent:.2f}%"
        compared = [str(peers.shops), _figure(peers.mean), peers.relation, percent, peers.flag]
        rows.append([name, _score(of), *compared])
    return _block("Beside its peers", _table(rows, left=(0, 4, 6)))


def fall(dimension: Dimension, change: DimensionChange, start: date, end: date) -> str:
    """Render what ratings that entered and left a window did to a score."""
    return _block(
        f"Why {dimension} fell: {_figure(change.before)} on {start}, "
        f"{_figure(change.after)} on {end}, a change of {_figure(change.delta)}",
        _table([_flow("entered", change.entered), _flow("left", change.left)], left=(0,)),
    )


def outlook(dimension: Dimension, forecast: Forecast, target: float) -> str:
    """Render when a score reaches a target by itself, in both forecasts."""
    readings = {
        "if no rating comes": forecast.silent,
        "if ratings come as of late": forecast.steady,
    }
    rows = []
    for label, scores in readings.items():
        ahead: list[float | None] = getattr(scores, dimension)
        known = [
            (score, day)
            for score, day in zip(ahead, forecast.dates, strict=True)
            if score is not None
        ]
        lowest, worst_day = min(known)
        below = [day for score, day in known if score < target]
        later = [day for _, day in known if not below or day > below[-1]]
        back = f"from {later[0]} on" if later else f"not by {forecast.dates[-1]}"
        rows.append([label, f"lowest {_figure(lowest)} on {worst_day}", f"{target} {back}"])
    return _block(f"When {dimension} recovers by itself", _table(rows, left=(0, 1, 2)))


def effort(dimension: Dimension, plan: Plan, target: float, stars: int, by: date) -> str:
    """Render how many good ratings reach a target in time."""
    if plan.at is None:
        what = "out of reach"
    else:
        what = (
            f"{plan.needed} ratings of {stars} stars; "
            f"then {_figure(plan.at.score)} from {plan.at.count} ratings"
        )
    return _block(f"What it takes to have {dimension} at {target} on {by}", f"  {what}")


def _of(dsr: object, dimension: Dimension) -> DimensionScore:
    score: DimensionScore = getattr(dsr, dimension)
    return score


def _stars(of: DimensionScore) -> tuple[int, ...]:
    return msgspec.structs.astuple(of.histogram)


def _score(of: DimensionScore) -> str:
    return of.status if of.score is None else _figure(of.score)


def _figure(score: float | None) -> str:
    return "none" if score is None else f"{score:.5f}"


def _level(tier: Tier) -> str:
    return tier.status if tier.level is None else str(tier.level)


def _rate(of: SellThrough) -> str:
    return of.status if of.rate is None else f"{of.rate:.4%}"


def _flow(label: str, flow: Flow) -> list[str]:
    return [label, f"{flow.count} ratings", f"{flow.sum} stars", f"effect {_figure(flow.effect)}"]


def _block(title: str, *parts: str) -> str:
    return "\n\n".join([title, *parts])


def _table(rows: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    """Render rows as columns two blanks apart; columns not `left` are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(f"  {line}".rstrip() for line in lines)
