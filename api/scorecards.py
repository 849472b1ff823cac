"""Scorecards: the main answer of the service, for one shop and for many."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.conditional import computed
from api.context import Call
from api.operations import Answer, Operation, operation
from api.problems import Document, Problem, bad_parameter, document
from api.reading import AsOf, accessible_shop, day_within, retry_on_rules_change
from api.shops import fit_name
from api.wire import query
from domain.days import day_of, window
from domain.dsr import Dsr, dsr
from domain.errors import NotFound
from domain.ports import GroupAsked, ShopTotals, StoredShop
from domain.rules import RulesRef
from domain.sell_through import SellThrough, sell_through
from domain.tier import SalesGroup, Tier, TierBasis, has_ladder, tier
from domain.totals import ON_SALE, SOLD, Totals
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

    items: list[
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
    ]


class ScorecardsQuery(AsOf, frozen=True, kw_only=True):
    """Which shops, each once."""

    shop_id: Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(
            min_length=1,
            max_length=SHOPS_MAX,
            description="The shops, each once: the parameter is repeated.",
        ),
    ]


@operation(
    "GET",
    "/v1/shops/{shop_id:str}/scorecard",
    Operation(
        name="getScorecard",
        summary="DSR, tier and sell-through of a shop",
        scope="scores:read",
        query=AsOf,
        answers={200: Scorecard},
        problems=("not_found",),
    ),
)
@retry_on_rules_change
async def get_scorecard(request: Call, shop_id: str) -> Answer:
    """The scorecard as of a day."""
    asked = query(request, AsOf)
    found = await scorecards(request, [accessible_shop(request, shop_id)], asked)
    answer = found.get(shop_id) or NotFound("shop", shop_id)
    if isinstance(answer, Exception):
        raise answer
    return computed(request, answer)


@operation(
    "GET",
    "/v1/scorecards",
    Operation(
        name="listScorecards",
        summary="Scorecards of up to 200 shops",
        scope="scores:read",
        query=ScorecardsQuery,
        answers={200: Scorecards},
    ),
)
@retry_on_rules_change
async def list_scorecards(request: Call) -> Answer:
    """Scorecards in the order asked for; a shop without one has a problem in its place."""
    asked = query(request, ScorecardsQuery)
    if len(set(asked.shop_id)) < len(asked.shop_id):
        raise bad_parameter("shop_id", "Expected each shop once")
    if asked.as_of is not UNSET:
        day_within(asked.as_of, day_of(request.context.clock(), EASTMOST_ZONE))
    key = request.auth
    known = [name for name in asked.shop_id if fit_name(name) and key.reaches(name)]
    parts = [known[start : start + SHOPS_A_PART] for start in range(0, len(known), SHOPS_A_PART)]
    found: dict[str, Scorecard | Problem] = {}
    for part in await asyncio.gather(*(scorecards(request, part, asked) for part in parts)):
        found |= part
    answers = {
        shop_id: found.get(shop_id) or NotFound("shop", shop_id) for shop_id in asked.shop_id
    }
    shown = Scorecards(_items(answers, request.request_id))
    if all(item.problem is UNSET for item in shown.items):
        return computed(request, shown)
    # A problem names its request, which is no part of what the answer says.
    return computed(request, shown, tagged=_items(answers, ""))


def _items(answers: Mapping[str, Scorecard | Exception], request_id: str) -> list[ScorecardItem]:
    return [
        ScorecardItem(shop_id, problem=document(request_id, answer))
        if isinstance(answer, Exception)
        else ScorecardItem(shop_id, answer)
        for shop_id, answer in answers.items()
    ]


async def scorecards(
    request: Call, shop_ids: Sequence[str], asked: AsOf
) -> Mapping[str, Scorecard | Problem]:
    """Scorecards by shop id; unknown shops are absent.

    Running totals serve the day they stand for; any other day is added up from its days.
    """
    scores = request.context.scores
    tenant_id = request.auth.tenant_id
    standings = await scores.standings(tenant_id, shop_ids)
    now = request.context.clock()
    todays: dict[str, date] = {}
    found: dict[str, Scorecard | Problem] = {}
    days: dict[str, date] = {}
    others: list[tuple[StoredShop, Windows]] = []
    group_of: dict[str, tuple[object, ...]] = {}
    groups: dict[tuple[object, ...], GroupAsked] = {}
    for shop_id, standing in standings.items():
        shop = standing.kept.shop
        day = todays.get(shop.time_zone)
        if day is None:
            day = todays[shop.time_zone] = day_of(now, shop.time_zone)
        if asked.as_of is not UNSET:
            try:
                day = day_within(asked.as_of, day)
            except Problem as problem:
                found[shop_id] = problem
                continue
        days[shop_id] = day
        is_running = day == standing.day
        if not is_running:
            others.append((standing.kept, windows(day, standing.kept.rules.rules)))
        if not has_ladder(standing.ladder, shop.currency):
            named = group_of[shop_id] = shop.marketplace, shop.category, shop.currency, day
            if named not in groups:
                groups[named] = GroupAsked(*named, standing.snapshot if is_running else None)
    summed = await scores.window_totals(others) if others else {}
    sales: dict[tuple[object, ...], SalesGroup | None] = {}
    if groups:
        known = await request.context.peer_sales.groups(tenant_id, groups.values())
        sales = {named: known.get(group) for named, group in groups.items()}
    for shop_id, day in days.items():
        standing = standings[shop_id]
        peers = sales[group_of[shop_id]] if shop_id in group_of else None
        totals = summed.get(standing.kept.shop_key, standing.totals)
        found[shop_id] = scorecard(standing, day, totals, peers)
    return found


def scorecard(
    standing: ShopTotals, as_of: date, totals: Totals, peers: SalesGroup | None
) -> Scorecard:
    """The scorecard of a shop from the totals of its windows as of a day."""
    kept = standing.kept
    shop, rules = kept.shop, kept.rules.rules
    return Scorecard(
        shop_id=shop.shop_id,
        marketplace=shop.marketplace,
        category=shop.category,
        as_of=as_of,
        time_zone=shop.time_zone,
        rules=kept.rules.ref,
        dsr=dsr(totals, window(as_of, rules.rating_window_days), rules),
        tier=tier(
            totals,
            window(as_of, rules.sales_window_days),
            TierBasis(shop.currency, standing.ladder, peers),
            rules,
        ),
        sell_through=sell_through(
            totals[ON_SALE], totals[SOLD], window(as_of, rules.sold_window_days)
        ),
    )
