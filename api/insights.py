"""One shop in depth: its scores, tier and sell-through explained, over time and ahead."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.conditional import computed
from api.context import Call
from api.listings import all_listings
from api.operations import Answer, Beside, Endpoint, Handler, Operation, operation
from api.problems import bad_parameter
from api.reading import (
    AsOf,
    Heading,
    accessible_shop,
    day_asked,
    find_shop,
    headed,
    retry_on_rules_change,
    today,
)
from api.wire import query
from domain.change import Change, change, change_span
from domain.days import window
from domain.dsr import DsrDetail, detail_span, dsr_detail
from domain.errors import NotFound
from domain.forecast import Forecast, forecast, forecast_span
from domain.listings import has_sold
from domain.names import Name
from domain.plan import Goal, Plan, plan, plan_span
from domain.ports import GroupAsked, StoredShop
from domain.sell_through import SellThrough, sell_through
from domain.tier import TierBasis, TierDetail, tier_detail
from domain.totals import ON_SALE, SOLD, STARS, Dimension, nothing, over
from domain.trend import Trend, trend, trend_span
from domain.windows import windows

LOWEST, HIGHEST = STARS[0], STARS[-1]
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


class DsrQuery(AsOf, frozen=True, kw_only=True):
    """The rules to count under; by default the shop's own."""

    rules: Name | UnsetType = UNSET


class SellThroughQuery(AsOf, frozen=True, kw_only=True):
    """The days in which a sale counts; by default those of the shop's rules."""

    window_days: Annotated[int, Meta(ge=1, le=365)] | UnsetType = UNSET


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
) -> Callable[[Handler], Endpoint]:
    """A read of one shop."""
    serve = operation(
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
    return lambda handler: serve(retry_on_rules_change(handler))


@_read("getDsr", "dsr", "The three detailed seller ratings, explained", DsrQuery, DsrAnswer)
async def get_dsr(request: Call, shop_id: str) -> Answer:
    """Scores with how sure they are, how peers stand and how they changed.

    With `rules` the ratings themselves are counted again under that set.
    """
    asked = query(request, DsrQuery)
    kept = await find_shop(request, shop_id)
    as_of = day_asked(request, kept.shop, asked.as_of)
    ctx = request.context
    if asked.rules is UNSET:
        standing = await ctx.peers.standing(kept, as_of)
        span = detail_span(as_of, kept.rules.rules)
        days = await ctx.scores.day_totals(kept, span.start, span.end)
        found = dsr_detail(days, as_of, kept.rules.rules, standing)
    else:
        try:
            other = await ctx.rules.get(kept.tenant_id, asked.rules)
        except NotFound:
            raise bad_parameter("rules", "Expected the name of a set of rules") from None
        kept = msgspec.structs.replace(kept, rules=other)
        days = await ctx.scores.replay(kept.key, other.rules)
        found = dsr_detail(days, as_of, other.rules, None)
    return computed(request, headed(kept, as_of, DsrAnswer(found)))


@_read("getTier", "tier", "The level of a shop's sales, explained", AsOf, TierAnswer)
async def get_tier(request: Call, shop_id: str) -> Answer:
    """The level with the way up and the way down."""
    asked = query(request, AsOf)
    ctx = request.context
    found = await ctx.scores.standings(request.auth.tenant_id, [accessible_shop(request, shop_id)])
    if shop_id not in found:
        raise NotFound("shop", shop_id)
    standing = found[shop_id]
    kept = standing.kept
    as_of = day_asked(request, kept.shop, asked.as_of)
    rules = kept.rules.rules
    span = window(as_of, rules.sales_window_days)
    days = await ctx.scores.day_totals(kept, span.start, span.end)
    shop = kept.shop
    group = GroupAsked(shop.marketplace, shop.category, shop.currency, as_of)
    peers = (await ctx.peer_sales.groups(kept.tenant_id, [group])).get(group)
    if peers is not None:
        own = await ctx.peer_sales.own(kept, peers.as_of)
        peers = msgspec.structs.replace(peers, own=own)
    answer = TierAnswer(
        tier_detail(
            over(days, span),
            days.get(span.start, nothing()),
            span,
            TierBasis(shop.currency, standing.ladder, peers),
            rules,
        )
    )
    return computed(request, headed(kept, as_of, answer))


@_read(
    "getSellThrough",
    "sell-through",
    "The share of listings that sold",
    SellThroughQuery,
    SellThroughAnswer,
)
async def get_sell_through(request: Call, shop_id: str) -> Answer:
    """Of the listings on sale, those that sold in the window."""
    asked = query(request, SellThroughQuery)
    kept = await find_shop(request, shop_id)
    as_of = day_asked(request, kept.shop, asked.as_of)
    rules = kept.rules.rules
    ctx = request.context
    if asked.window_days in (UNSET, rules.sold_window_days):
        span = window(as_of, rules.sold_window_days)
        sums = await ctx.scores.window_totals([(kept, windows(as_of, rules))])
        totals = sums[kept.shop_key]
        on_sale, sold = totals[ON_SALE], totals[SOLD]
    else:
        span = window(as_of, asked.window_days)
        listings = await all_listings(request, kept, as_of)
        on_sale = sum(one.on_sale for one in listings)
        sold = sum(one.on_sale and has_sold(one, as_of, span.days) for one in listings)
    answer = SellThroughAnswer(sell_through(on_sale, sold, span))
    return computed(request, headed(kept, as_of, answer))


@_read("getTrend", "trend", "Scores and sales day by day", Range, Trend)
async def get_trend(request: Call, shop_id: str) -> Answer:
    """The scores as of each day of a range."""
    asked = query(request, Range)
    kept = await find_shop(request, shop_id)
    start, end = _range(request, kept, asked)
    if (end - start).days >= TREND_DAYS_MAX or start > end:
        raise bad_parameter("end", f"Expected `start` to `end` to be 1 to {TREND_DAYS_MAX} days")
    rules = kept.rules.rules
    span = trend_span(start, end, rules)
    days = await request.context.scores.day_totals(kept, span.start, span.end)
    answer = trend(days, start, end, kept.shop.currency, rules)
    return computed(request, headed(kept, today(request, kept.shop), answer))


@_read("getChange", "dsr/change", "Why the scores moved between two days", Range, Change)
async def get_change(request: Call, shop_id: str) -> Answer:
    """What entered and what left the window, and the effect of each."""
    asked = query(request, Range)
    kept = await find_shop(request, shop_id)
    start, end = _range(request, kept, asked)
    if start >= end:
        raise bad_parameter("end", "Expected a day after `start`")
    rules = kept.rules.rules
    span = change_span(start, end, rules)
    days = await request.context.scores.day_totals(kept, span.start, span.end)
    answer = change(days, start, end, rules)
    return computed(request, headed(kept, today(request, kept.shop), answer))


@_read("getForecast", "dsr/forecast", "Where the scores are heading", ForecastQuery, Forecast)
async def get_forecast(request: Call, shop_id: str) -> Answer:
    """The scores of the days to come, if nothing new arrives and if all goes on as it does."""
    asked = query(request, ForecastQuery)
    kept = await find_shop(request, shop_id)
    as_of = day_asked(request, kept.shop, asked.as_of)
    rules = kept.rules.rules
    span = forecast_span(as_of, rules)
    days = await request.context.scores.day_totals(kept, span.start, span.end)
    return computed(request, headed(kept, as_of, forecast(days, as_of, asked.days, rules)))


@_read("getPlan", "dsr/plan", "What it takes to reach a score", PlanQuery, Plan)
async def get_plan(request: Call, shop_id: str) -> Answer:
    """How many ratings by when, counting those that will have left."""
    asked = query(request, PlanQuery)
    target = Fraction(asked.target)
    if not LOWEST <= target <= HIGHEST:
        raise bad_parameter("target", "Expected a score of 1 to 5")
    kept = await find_shop(request, shop_id)
    as_of = day_asked(request, kept.shop, asked.as_of)
    if not as_of <= asked.by <= as_of + timedelta(days=PLAN_DAYS_MAX):
        raise bad_parameter("by", f"Expected a day from `as_of` to {PLAN_DAYS_MAX} days after it")
    rules = kept.rules.rules
    span = plan_span(as_of, rules)
    days = await request.context.scores.day_totals(kept, span.start, span.end)
    goal = Goal(target, asked.by, asked.stars)
    return computed(request, headed(kept, as_of, plan(days, as_of, asked.dimension, goal, rules)))


def _range(request: Call, kept: StoredShop, asked: Range) -> tuple[date, date]:
    return (
        day_asked(request, kept.shop, asked.start, "start"),
        day_asked(request, kept.shop, asked.end, "end"),
    )
