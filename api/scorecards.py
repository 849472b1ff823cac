"""Scorecards: the main answer of the service, for one shop and for many."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, TypeAlias

import msgspec
from litestar import Response, Router, post
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from api.conditional import JSONResponse
from api.exceptions import document
from api.operations import SMALL_JSON, get, operation
from api.parameters import AsOf, ShopId, fit_name
from api.problems import Document, Problem, bad_parameter, bad_pointer
from api.request import ApiRequest
from api.shop_reads import day_within, retry_on_rules_change
from api.stamp import request_id
from domain.days import FIRST_DAY, day_of, window
from domain.dsr import Dsr, dsr
from domain.errors import NotFound
from domain.ports import SalesGroupQuery, ShopTotals, StoredShop
from domain.rules import RulesRef
from domain.sell_through import SellThrough, sell_through
from domain.tier import SalesGroup, Tier, TierBasis, has_ladder, tier
from domain.totals import ON_SALE, SOLD, UNLISTED_SOLD, Totals
from domain.windows import Windows, windows

SHOPS_MAX = 200
SHOPS_A_PART = 50
"""Of a longer list some are worked out while others are read."""

EASTMOST_ZONE = "Pacific/Kiritimati"
"""Where a day begins first: a later day than its today is no shop's."""


class Scorecard(msgspec.Struct, frozen=True):
    """How a shop stands as of one day."""

    shop_id: str
    marketplace: str
    category: str
    as_of: date
    time_zone: str
    rules: RulesRef
    dsr: Dsr
    tier: Tier
    sell_through: SellThrough


class ScorecardItem(msgspec.Struct, frozen=True):
    """One shop of a list, with its scorecard or with why it has none."""

    shop_id: str
    scorecard: Scorecard | UnsetType = UNSET
    problem: Document | UnsetType = UNSET


class Scorecards(msgspec.Struct, frozen=True):
    """Scorecards in the order of the request."""

    items: Annotated[
        list[
            Annotated[
                ScorecardItem,
                Meta(
                    extra_json_schema={
                        "oneOf": [
                            {"properties": {name: {}}, "required": [name]}
                            for name in ("scorecard", "problem")
                        ]
                    }
                ),
            ]
        ],
        Meta(max_length=SHOPS_MAX),
    ]


ShopIds: TypeAlias = Annotated[
    list[Annotated[str, Meta(max_length=64)]],
    QueryParameter(
        min_items=1,
        max_items=SHOPS_MAX,
        title=f"1 to {SHOPS_MAX} ids of at most 64 characters",
        description="The shops, each once: the parameter is repeated.",
        schema_extra={"items": {"type": "string", "maxLength": 64}},
    ),
]


@get(
    "/shops/{shop_id:str}/scorecard",
    summary="DSR, tier and sell-through of a shop",
    **operation("scores:read", problems=("not_found",)),
)
@retry_on_rules_change
async def get_scorecard(request: ApiRequest, shop_id: ShopId, as_of: AsOf = None) -> Scorecard:
    """Return the scorecard as of a day."""
    answers = await scorecards(request, [shop_id], as_of)
    answer = answers.get(shop_id) or NotFound("shop", shop_id)
    if isinstance(answer, Exception):
        raise answer
    return answer


@get("/scorecards", summary="Scorecards of up to 200 shops", **operation("scores:read"))
@retry_on_rules_change
async def list_scorecards(
    request: ApiRequest, shop_id: ShopIds, as_of: AsOf = None
) -> Response[Scorecards]:
    """Return scorecards in the order of the request, or a problem each."""
    if len(set(shop_id)) < len(shop_id):
        raise bad_parameter("shop_id", "Expected each shop once")
    if as_of is not None:
        day_within(as_of, latest_day(request))
    answers = await _answers(request, shop_id, as_of)
    # A problem names its request, which is no part of what the answer says.
    response = JSONResponse(Scorecards(_items(answers, request_id(request.scope))))
    response.tagged = _items(answers, "")
    return response


class ScorecardsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shops, each once, and the day asked about, by default each shop's today."""

    shop_ids: Annotated[
        list[Annotated[str, Meta(max_length=64, title="an id of at most 64 characters")]],
        Meta(min_length=1, max_length=SHOPS_MAX),
    ]
    as_of: date | None = None

    def __post_init__(self) -> None:
        if len(set(self.shop_ids)) < len(self.shop_ids):
            raise ValueError("`shop_ids` must name each shop once")


@post(
    "/scorecards/query",
    summary="Scorecards of shops whose ids are too long for a URL",
    status_code=200,
    **operation("scores:read", bodies=SMALL_JSON, problems=("invalid",)),
)
@retry_on_rules_change
async def query_scorecards(request: ApiRequest, data: JSONBody[ScorecardsQuery]) -> Scorecards:
    """Return scorecards in the order of the request, or a problem each."""
    latest = latest_day(request)
    if data.as_of is not None and not FIRST_DAY <= data.as_of <= latest:
        expected = f"Expected a day from {FIRST_DAY} to {latest}"
        raise bad_pointer("invalid", "/as_of", expected)
    answers = await _answers(request, data.shop_ids, data.as_of)
    return Scorecards(_items(answers, request_id(request.scope)))


def latest_day(request: ApiRequest) -> date:
    """Return the latest day that is any shop's today."""
    return day_of(request.ports.clock(), EASTMOST_ZONE)


async def _answers(
    request: ApiRequest, shop_ids: Sequence[str], as_of: date | None
) -> dict[str, Scorecard | Exception]:
    key = request.auth
    known = [name for name in shop_ids if fit_name(name) and key.may_access(name)]
    parts = [known[start : start + SHOPS_A_PART] for start in range(0, len(known), SHOPS_A_PART)]
    answers: dict[str, Scorecard | Problem] = {}
    for part in await asyncio.gather(*(scorecards(request, part, as_of) for part in parts)):
        answers |= part
    return {name: answers.get(name) or NotFound("shop", name) for name in shop_ids}


def _items(answers: Mapping[str, Scorecard | Exception], request_id: str) -> list[ScorecardItem]:
    return [
        ScorecardItem(shop_id, problem=document(request_id, answer))
        if isinstance(answer, Exception)
        else ScorecardItem(shop_id, answer)
        for shop_id, answer in answers.items()
    ]


async def scorecards(
    request: ApiRequest, shop_ids: Sequence[str], as_of: date | None
) -> Mapping[str, Scorecard | Problem]:
    """Return scorecards by shop id; unknown shops are absent.

    Running totals serve the day they stand for; any other day is added up from its days.
    """
    scores = request.ports.scores
    tenant_id = request.auth.tenant_id
    totals_by_shop = await scores.shop_totals(tenant_id, shop_ids)
    now = request.ports.clock()
    todays: dict[str, date] = {}
    answers: dict[str, Scorecard | Problem] = {}
    days: dict[str, date] = {}
    others: list[tuple[StoredShop, Windows]] = []
    group_of: dict[str, tuple[object, ...]] = {}
    groups: dict[tuple[object, ...], SalesGroupQuery] = {}
    for shop_id, shop_totals in totals_by_shop.items():
        shop = shop_totals.stored.shop
        day = todays.get(shop.time_zone)
        if day is None:
            day = todays[shop.time_zone] = day_of(now, shop.time_zone)
        if as_of is not None:
            try:
                day = day_within(as_of, day)
            except Problem as problem:
                answers[shop_id] = problem
                continue
        days[shop_id] = day
        is_running = day == shop_totals.day
        if not is_running:
            others.append((shop_totals.stored, windows(day, shop_totals.stored.rules.rules)))
        if not has_ladder(shop_totals.ladder, shop.currency):
            named = group_of[shop_id] = shop.marketplace, shop.category, shop.currency, day
            if named not in groups:
                groups[named] = SalesGroupQuery(
                    *named, shop_totals.snapshot if is_running else None
                )
    summed = await scores.window_totals(others) if others else {}
    sales: dict[tuple[object, ...], SalesGroup | None] = {}
    if groups:
        known = await request.ports.peer_sales.groups(tenant_id, groups.values())
        sales = {named: known.get(group) for named, group in groups.items()}
    for shop_id, day in days.items():
        shop_totals = totals_by_shop[shop_id]
        peers = sales[group_of[shop_id]] if shop_id in group_of else None
        totals = summed.get(shop_totals.stored.shop_key, shop_totals.totals)
        answers[shop_id] = scorecard(shop_totals, day, totals, peers)
    return answers


def scorecard(
    shop_totals: ShopTotals, as_of: date, totals: Totals, peers: SalesGroup | None
) -> Scorecard:
    """Return the scorecard of a shop from the totals of its windows."""
    stored = shop_totals.stored
    shop, rules = stored.shop, stored.rules.rules
    return Scorecard(
        shop_id=shop.shop_id,
        marketplace=shop.marketplace,
        category=shop.category,
        as_of=as_of,
        time_zone=shop.time_zone,
        rules=stored.rules.ref,
        dsr=dsr(totals, window(as_of, rules.rating_window_days), rules),
        tier=tier(
            totals,
            window(as_of, rules.sales_window_days),
            TierBasis(shop.currency, shop_totals.ladder, peers),
            rules,
        ),
        sell_through=sell_through(
            totals[ON_SALE],
            totals[SOLD],
            totals[UNLISTED_SOLD],
            window(as_of, rules.sold_window_days),
        ),
    )


router = Router(
    "/", tags=["scorecards"], route_handlers=[get_scorecard, list_scorecards, query_scorecards]
)
