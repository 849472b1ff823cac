"""One shop in depth: its scores, tier and sell-through explained, over time and ahead."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated

import msgspec
from litestar import Response
from litestar.params import FromPath
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from api.conditional import computed
from api.context import Call, context
from api.operations import Beside, Handler, Operation, operation
from api.problems import bad_parameter
from api.reading import AsOf, Heading, day_asked, find_shop, headed, reached
from api.wire import query
from domain.change import Change, change, change_span
from domain.days import window
from domain.dsr import DsrDetail, detail_span, dsr_detail
from domain.errors import NotFound
from domain.forecast import Forecast, forecast, forecast_span
from domain.peers import PeerStanding
from domain.plan import Goal, Plan, plan, plan_span
from domain.sell_through import SellThrough, sell_through
from domain.tier import TierDetail, Yardstick, tier_detail
from domain.totals import ON_SALE, SOLD, Dimension, nothing, over
from domain.trend import Trend, trend, trend_span
from domain.windows import windows

TREND_DAYS_MAX = 400
PLAN_DAYS_MAX = 365


class DsrAnswer(msgspec.Struct, frozen=True):
    """The three scores, explained."""

    dsr: DsrDetail


class TierAnswer(msgspec.Struct, frozen=True):
    """The tier, explained."""

    tier: TierDetail


class SellThroughAnswer(msgspec.Struct, frozen=True):
    """The share of listings on sale that sold."""

    sell_through: SellThrough


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two days, both included."""

    start: date
    end: date


class ForecastQuery(AsOf, frozen=True, kw_only=True):
    """How many days to look ahead."""

    days: Annotated[int, Meta(ge=1, le=180)] = 30


class PlanQuery(AsOf, frozen=True, kw_only=True):
    """The score to reach, by when, with ratings of how many stars."""

    dimension: Dimension
    target: Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]{1,5})?$(?!\n)", max_length=7)]
    by: date
    stars: Annotated[int, Meta(ge=1, le=5)]


def _read(
    name: str, path: str, summary: str, asked: type[msgspec.Struct], answer: object
) -> Callable[[Handler], HTTPRouteHandler]:
    """A read of one shop."""
    return operation(
        "GET",
        f"/v1/shops/{{shop_id:str}}/{path}",
        Operation(
            name=name,
            summary=summary,
            scope="scores:read",
            query=asked,
            answers={200: Beside(Heading, answer)},
            problems=("not_found",),
        ),
    )


@_read("getDsr", "dsr", "The three detailed seller ratings, explained", AsOf, DsrAnswer)
async def get_dsr(request: Call, shop_id: FromPath[str]) -> Response[bytes]:
    """Scores with how sure they are, how peers stand and how they changed."""
    asked = query(request, AsOf)
    kept = await find_shop(request, shop_id)
    as_of = day_asked(request, kept.shop, asked.as_of)
    rules = kept.rules.rules
    span = detail_span(as_of, rules)
    days = await context(request).scores.day_totals(kept.shop_key, span.start, span.end)
    answer = DsrAnswer(dsr_detail(days, as_of, rules, PeerStanding()))
    return computed(request, headed(kept, as_of, answer))


@_read("getTier", "tier", "The level of a shop's sales, explained", AsOf, TierAnswer)
async def get_tier(request: Call, shop_id: FromPath[str]) -> Response[bytes]:
    """The level with the way up and the way down."""
    asked = query(request, AsOf)
    ctx = context(request)
    found = await ctx.scores.standings(request.auth.tenant_id, [reached(request, shop_id)])
    if shop_id not in found:
        raise NotFound("shop", shop_id)
    standing = found[shop_id]
    kept = standing.kept
    as_of = day_asked(request, kept.shop, asked.as_of)
    rules = kept.rules.rules
    span = window(as_of, rules.sales_window_days)
    days = await ctx.scores.day_totals(kept.shop_key, span.start, span.end)
    answer = TierAnswer(
        tier_detail(
            over(days, span),
            days.get(span.start, nothing()),
            span,
            Yardstick(kept.shop.currency, standing.ladder),
            rules,
        )
    )
    return computed(request, headed(kept, as_of, answer))


@_read("getSellThrough", "sell-through", "The share of listings that sold", AsOf, SellThroughAnswer)
async def get_sell_through(request: Call, shop_id: FromPath[str]) -> Response[bytes]:
    """Of the listings on sale, those that sold in the window."""
    asked = query(request, AsOf)
    kept = await find_shop(request, shop_id)
    as_of = day_asked(request, kept.shop, asked.as_of)
    rules = kept.rules.rules
    found = await context(request).scores.window_totals([(kept.shop_key, windows(as_of, rules))])
    totals = found[kept.shop_key]
    span = window(as_of, rules.sold_window_days)
    answer = SellThroughAnswer(sell_through(totals[ON_SALE], totals[SOLD], span))
    return computed(request, headed(kept, as_of, answer))
