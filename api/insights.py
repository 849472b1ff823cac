"""One shop in depth: its scores, tier and sell-through explained, over time and ahead."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated, Any, Literal

from litestar import Router
from litestar.params import QueryParameter
from msgspec.structs import asdict, replace

from api.operations import get, operation
from api.parameters import AsOf, End, ShopId, Start, UnderRules
from api.problems import bad_parameter
from api.request import ApiRequest
from api.shop_reads import (
    Heading,
    day_or_today,
    get_stored_shop,
    heading,
    retry_on_rules_change,
    today,
)
from domain.change import DimensionChange, change, change_span
from domain.counters import STARS, Dimension
from domain.days import window
from domain.dsr import DsrDetail, detail_span, dsr_detail
from domain.errors import NotFound
from domain.forecast import (
    FORECAST_DAYS_MAX,
    ForecastDates,
    Outlook,
    forecast,
    forecast_span,
)
from domain.plan import Goal, PlannedScore, Tolerance, plan, plan_span
from domain.ports import SalesGroupQuery, StoredShop
from domain.sell_through import SellThrough, SoldListings, sell_through
from domain.tier import TierBasis, TierDetail, tier_detail
from domain.totals import ON_SALE, SOLD, UNLISTED_SOLD, sum_window, zero_totals
from domain.trend import (
    TREND_DAYS_MAX,
    DimensionTrend,
    TrendDates,
    TrendSales,
    trend,
    trend_span,
)
from domain.windows import windows

LOWEST, HIGHEST = STARS[0], STARS[-1]
PLAN_DAYS_MAX = 365

_SHOP_READ: dict[str, Any] = operation("scores:read", problems=("not_found",))


class DsrAnswer(Heading, frozen=True):
    """The three scores, explained."""

    dsr: DsrDetail


class TierAnswer(Heading, frozen=True):
    """The tier, explained."""

    tier: TierDetail


class SellThroughAnswer(Heading, frozen=True):
    """The share of listings on sale that sold."""

    sell_through: SellThrough


class TrendAnswer(Heading, frozen=True):
    """Lists of one length, one entry a day; `sales` are those of the tier's window."""

    dates: TrendDates
    description: DimensionTrend
    service: DimensionTrend
    logistics: DimensionTrend
    sales: TrendSales


class ChangeAnswer(Heading, frozen=True):
    """The three dimensions before and after."""

    description: DimensionChange
    service: DimensionChange
    logistics: DimensionChange


class ForecastAnswer(Heading, frozen=True):
    """`silent`: ratings only leave. `steady`: each day also brings what a recent day brought."""

    dates: ForecastDates
    silent: Outlook
    steady: Outlook


class PlanAnswer(Heading, frozen=True):
    """Ratings `needed` for the target; null, as is `at`, where it is out of reach."""

    status: Literal["ok", "impossible"]
    needed: int | None
    at: PlannedScore | None
    tolerance: Tolerance


@get(
    "/shops/{shop_id:str}/dsr", summary="The three detailed seller ratings, explained", **_SHOP_READ
)
@retry_on_rules_change
async def get_dsr(
    request: ApiRequest, shop_id: ShopId, as_of: AsOf = None, rules: UnderRules = None
) -> DsrAnswer:
    """Return the scores with how sure they are, how peers stand and how they changed.

    With `rules` the ratings themselves are counted again under that set.
    """
    ports = request.ports
    stored = await get_stored_shop(request, shop_id)
    day = day_or_today(request, stored.shop, as_of)
    if rules is None:
        statistics = await ports.peers.statistics(stored, day)
        span = detail_span(day, stored.rules.rules)
        days = await ports.scores.day_totals(stored, span.start, span.end)
        detail = dsr_detail(days, day, stored.rules.rules, statistics)
    else:
        try:
            other = await ports.rules.get(stored.tenant_id, rules)
        except NotFound:
            raise bad_parameter("rules", "Expected the name of a set of rules") from None
        stored = replace(stored, rules=other)
        days = await ports.scores.replay(stored.key, other.rules)
        detail = dsr_detail(days, day, other.rules, None)
    return DsrAnswer(**heading(stored, day), dsr=detail)


@get("/shops/{shop_id:str}/tier", summary="The level of a shop's sales, explained", **_SHOP_READ)
@retry_on_rules_change
async def get_tier(request: ApiRequest, shop_id: ShopId, as_of: AsOf = None) -> TierAnswer:
    """Return the level with the way up and the way down."""
    ports = request.ports
    totals = (await ports.scores.shop_totals(request.auth.tenant_id, [shop_id])).get(shop_id)
    if totals is None:
        raise NotFound("shop", shop_id)
    stored = totals.stored
    shop, rules = stored.shop, stored.rules.rules
    day = day_or_today(request, shop, as_of)
    span = window(day, rules.sales_window_days)
    days = await ports.scores.day_totals(stored, span.start, span.end)
    group = SalesGroupQuery(shop.marketplace, shop.category, shop.currency, day)
    peers = (await ports.peer_sales.groups(stored.tenant_id, [group])).get(group)
    if peers is not None:
        peers = replace(peers, own=await ports.peer_sales.own(stored, peers.as_of))
    detail = tier_detail(
        sum_window(days, span),
        days.get(span.start, zero_totals()),
        span,
        TierBasis(shop.currency, totals.ladder, peers),
        rules,
    )
    return TierAnswer(**heading(stored, day), tier=detail)


@get("/shops/{shop_id:str}/sell-through", summary="The share of listings that sold", **_SHOP_READ)
@retry_on_rules_change
async def get_sell_through(
    request: ApiRequest,
    shop_id: ShopId,
    as_of: AsOf = None,
    window_days: Annotated[
        int | None,
        QueryParameter(
            ge=1,
            le=365,
            description="The length of the window in days, in place of the one in the rules.",
        ),
    ] = None,
) -> SellThroughAnswer:
    """Return how many of the listings on sale sold in the window."""
    stored = await get_stored_shop(request, shop_id)
    day = day_or_today(request, stored.shop, as_of)
    rules = stored.rules.rules
    if window_days in (None, rules.sold_window_days):
        span = window(day, rules.sold_window_days)
        sums = await request.ports.scores.window_totals([(stored, windows(day, rules))])
        totals = sums[stored.shop_key]
        listings = SoldListings(totals[ON_SALE], totals[SOLD], totals[UNLISTED_SOLD])
    else:
        span = window(day, window_days)
        listings = await request.ports.listings.sold(stored.key, span)
    return SellThroughAnswer(**heading(stored, day), sell_through=sell_through(*listings, span))


@get("/shops/{shop_id:str}/trend", summary="Scores and sales day by day", **_SHOP_READ)
@retry_on_rules_change
async def get_trend(request: ApiRequest, shop_id: ShopId, start: Start, end: End) -> TrendAnswer:
    """Return the scores as of each day of a range."""
    stored = await get_stored_shop(request, shop_id)
    _check_range(request, stored, start, end)
    if (end - start).days >= TREND_DAYS_MAX or start > end:
        raise bad_parameter("end", f"Expected `start` to `end` to be 1 to {TREND_DAYS_MAX} days")
    rules = stored.rules.rules
    span = trend_span(start, end, rules)
    days = await request.ports.scores.day_totals(stored, span.start, span.end)
    lines = trend(days, start, end, stored.shop.currency, rules)
    return TrendAnswer(**heading(stored, today(request, stored.shop)), **asdict(lines))


@get(
    "/shops/{shop_id:str}/dsr/change",
    summary="Why the scores moved between two days",
    **_SHOP_READ,
)
@retry_on_rules_change
async def get_change(request: ApiRequest, shop_id: ShopId, start: Start, end: End) -> ChangeAnswer:
    """Return what entered and what left the window, and the effect of each."""
    stored = await get_stored_shop(request, shop_id)
    _check_range(request, stored, start, end)
    if start >= end:
        raise bad_parameter("end", "Expected a day after `start`")
    rules = stored.rules.rules
    span = change_span(start, end, rules)
    days = await request.ports.scores.day_totals(stored, span.start, span.end)
    changes = change(days, start, end, rules)
    return ChangeAnswer(**heading(stored, today(request, stored.shop)), **asdict(changes))


@get("/shops/{shop_id:str}/dsr/forecast", summary="Where the scores are heading", **_SHOP_READ)
@retry_on_rules_change
async def get_forecast(
    request: ApiRequest,
    shop_id: ShopId,
    as_of: AsOf = None,
    days: Annotated[
        int, QueryParameter(ge=1, le=FORECAST_DAYS_MAX, description="How many days to look ahead.")
    ] = 30,
) -> ForecastAnswer:
    """Return the scores of days to come.

    They are given for no new ratings, and for ratings that arrive as they do now.
    """
    stored = await get_stored_shop(request, shop_id)
    day = day_or_today(request, stored.shop, as_of)
    rules = stored.rules.rules
    span = forecast_span(day, rules)
    totals = await request.ports.scores.day_totals(stored, span.start, span.end)
    return ForecastAnswer(**heading(stored, day), **asdict(forecast(totals, day, days, rules)))


@get("/shops/{shop_id:str}/dsr/plan", summary="What it takes to reach a score", **_SHOP_READ)
@retry_on_rules_change
async def get_plan(
    request: ApiRequest,
    *,
    shop_id: ShopId,
    dimension: Annotated[Dimension, QueryParameter(description="Which of the three scores.")],
    target: Annotated[
        str,
        QueryParameter(
            pattern=r"^[0-9]+(\.[0-9]{1,5})?$(?!\n)",
            max_length=7,
            title="a score of 1 to 5 with at most 5 decimals",
            description="The score to reach, from 1 to 5.",
        ),
    ],
    by: Annotated[
        date,
        QueryParameter(
            description="The day to reach the target by, from `as_of` to 365 days after it."
        ),
    ],
    stars: Annotated[
        int, QueryParameter(ge=1, le=5, description="How many stars the ratings to come have.")
    ],
    as_of: AsOf = None,
) -> PlanAnswer:
    """Return how many ratings are needed by when, counting those that will have left."""
    score = Fraction(target)
    if not LOWEST <= score <= HIGHEST:
        raise bad_parameter("target", "Expected a score of 1 to 5")
    stored = await get_stored_shop(request, shop_id)
    day = day_or_today(request, stored.shop, as_of)
    if not day <= by <= day + timedelta(days=PLAN_DAYS_MAX):
        raise bad_parameter("by", f"Expected a day from `as_of` to {PLAN_DAYS_MAX} days after it")
    rules = stored.rules.rules
    span = plan_span(day, rules)
    days = await request.ports.scores.day_totals(stored, span.start, span.end)
    answer = plan(days, day, dimension, Goal(score, by, stars), rules)
    return PlanAnswer(**heading(stored, day), **asdict(answer))


def _check_range(request: ApiRequest, stored: StoredShop, start: date, end: date) -> None:
    day_or_today(request, stored.shop, start, "start")
    day_or_today(request, stored.shop, end, "end")


router = Router(
    "/",
    tags=["insights"],
    route_handlers=[
        get_dsr,
        get_tier,
        get_sell_through,
        get_trend,
        get_change,
        get_forecast,
        get_plan,
    ],
)
