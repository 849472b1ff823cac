"""Shops: described by callers, one by one or as a list."""

import re
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api import bodies
from api.conditional import computed
from api.context import Call, act
from api.operations import Answer, Operation, operation
from api.pages import Paged, next_cursor, resume
from api.problems import Problem, bad_parameter
from api.wire import (
    JSON,
    NoParameters,
    array_items,
    decode,
    field_error,
    must_be_json,
    query,
    reply,
)
from domain.errors import FieldError, NotFound, Refusal, ShopImmutable, UnknownRules
from domain.names import Name
from domain.ports import PutOutcome
from domain.shops import IdentifiedDraft, Shop, ShopDraft

SHOPS_MAX = 1_000
NAME_SHAPE = "Expected 1 to 64 of A-Z a-z 0-9 . _ ~ -, neither `.` nor `..`"


class RejectedShop(msgspec.Struct, frozen=True):
    """One shop of a list that was not taken; `index` is its place in the list."""

    index: int
    shop_id: str | None
    code: Literal["malformed", "invalid", "unknown_rules", "immutable"]
    errors: list[FieldError]


class _Named(msgspec.Struct):
    """What is told of any object; whatever else it has is passed over."""

    shop_id: msgspec.Raw = msgspec.Raw(b"null")


class PutShops(msgspec.Struct, frozen=True):
    """What became of a list of shops."""

    received: int
    created: int
    changed: int
    unchanged: int
    rejected_count: int
    rejected: list[RejectedShop]


class ShopsQuery(Paged, frozen=True, kw_only=True):
    """Filters and paging of the list of shops."""

    marketplace: Name | UnsetType = UNSET
    category: Name | UnsetType = UNSET


class ShopsPage(msgspec.Struct, frozen=True):
    """One page of shops, by id."""

    items: list[Shop]
    next_cursor: str | None


_NAME = get_args(Name)[1]
_NAME_PATTERN = re.compile(_NAME.pattern)


def fit_name(value: str) -> bool:
    """Whether a path segment can be the name of anything."""
    return len(value) <= _NAME.max_length and _NAME_PATTERN.search(value) is not None


@operation(
    "PUT",
    "/v1/shops/{shop_id:str}",
    Operation(
        name="putShop",
        summary="Register a shop, or replace its description",
        scope="admin",
        query=NoParameters,
        bodies={JSON: ShopDraft},
        answers={200: Shop, 201: Shop},
        problems=("not_found", "immutable", "invalid", "unknown_rules"),
    ),
)
async def put_shop(request: Call, shop_id: str) -> Answer:
    """Replace the whole shop; absent members take their defaults."""
    ctx = request.context
    bodies.media_type(request, (JSON,))
    body = await bodies.read(request, ctx.limits.event_bytes_max)
    query(request, NoParameters)
    if not fit_name(shop_id):
        raise bad_parameter("shop_id", NAME_SHAPE)
    must_be_json(body)
    if not request.auth.reaches(shop_id):
        raise NotFound("shop", shop_id)
    shop = decode(body, ShopDraft).named(shop_id)
    [outcome] = await ctx.shops.put(act(request), [shop])
    if isinstance(outcome, Refusal):
        raise outcome
    return reply(shop, 201 if outcome == "created" else 200)


@operation(
    "POST",
    "/v1/shops",
    Operation(
        name="postShops",
        summary="Register or replace up to 1,000 shops",
        scope="admin",
        query=NoParameters,
        bodies={JSON: Annotated[list[IdentifiedDraft], Meta(max_length=SHOPS_MAX)]},
        answers={200: PutShops, 207: PutShops},
        problems=("invalid", "all_refused"),
    ),
)
async def post_shops(request: Call) -> Answer:
    """Replace each shop of the list by itself; one that is refused keeps no other back."""
    ctx = request.context
    bodies.media_type(request, (JSON,))
    body = await bodies.read(request, ctx.limits.batch_bytes_max)
    query(request, NoParameters)
    must_be_json(body)
    raws = array_items(body, SHOPS_MAX, "shops")
    shops: dict[int, Shop] = {}
    rejected: dict[int, RejectedShop] = {}
    seen: set[str] = set()
    for index, raw in enumerate(raws):
        found = _draft(index, raw)
        if isinstance(found, RejectedShop):
            rejected[index] = found
        elif not request.auth.reaches(found.shop_id) or found.shop_id in seen:
            why = "Expected an id once" if found.shop_id in seen else "Expected a shop of this key"
            error = FieldError("/shop_id", why)
            rejected[index] = RejectedShop(index, found.shop_id, "invalid", [error])
        else:
            seen.add(found.shop_id)
            shops[index] = found.named(found.shop_id)
    outcomes = await ctx.shops.put(act(request), list(shops.values()))
    done: list[PutOutcome] = []
    for (index, shop), outcome in zip(shops.items(), outcomes, strict=True):
        if isinstance(outcome, Refusal):
            rejected[index] = _refused(index, shop.shop_id, outcome)
        else:
            done.append(outcome)
    answer = PutShops(
        received=len(raws),
        created=done.count("created"),
        changed=done.count("changed"),
        unchanged=done.count("unchanged"),
        rejected_count=len(rejected),
        rejected=[rejected[index] for index in sorted(rejected)],
    )
    if rejected and len(rejected) == len(raws):
        raise Problem("all_refused", "No shop was stored", members=msgspec.structs.asdict(answer))
    return reply(answer, 207 if rejected else 200)


@operation(
    "GET",
    "/v1/shops/{shop_id:str}",
    Operation(
        name="getShop",
        summary="One shop",
        scope="scores:read",
        query=NoParameters,
        answers={200: Shop},
        problems=("not_found",),
    ),
)
async def get_shop(request: Call, shop_id: str) -> Answer:
    """The shop as it was last described."""
    query(request, NoParameters)
    ctx = request.context
    if not fit_name(shop_id) or not request.auth.reaches(shop_id):
        raise NotFound("shop", shop_id)
    kept = await ctx.shops.get(request.auth.tenant_id, shop_id)
    return computed(request, kept.shop)


@operation(
    "GET",
    "/v1/shops",
    Operation(
        name="listShops",
        summary="Shops by id",
        scope="scores:read",
        query=ShopsQuery,
        answers={200: ShopsPage},
    ),
)
async def list_shops(request: Call) -> Answer:
    """The shops that the key reaches, a page at a time."""
    asked, after = resume(query(request, ShopsQuery), tuple[Name])
    key = request.auth
    found = await request.context.shops.page(
        key.tenant_id,
        key.shop_ids,
        marketplace=asked.marketplace or None,
        category=asked.category or None,
        after=after[0] if after else "",
        limit=asked.limit + 1,
    )
    items = found[: asked.limit]
    more = len(found) > len(items)
    return computed(
        request,
        ShopsPage(items, next_cursor(asked, (items[-1].shop_id,)) if more else None),
    )


def _draft(index: int, raw: msgspec.Raw) -> IdentifiedDraft | RejectedShop:
    try:
        return msgspec.json.decode(raw, type=IdentifiedDraft)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        found = field_error(error)
    try:
        told = msgspec.json.decode(raw, type=_Named)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return RejectedShop(index, None, "malformed", [FieldError("", "Expected a JSON object")])
    try:
        named = msgspec.json.decode(told.shop_id, type=str)
    except msgspec.MsgspecError:
        named = None
    return RejectedShop(index, named, "invalid", [found])


def _refused(index: int, shop_id: str, refusal: Refusal) -> RejectedShop:
    match refusal:
        case UnknownRules():
            error = FieldError("/rules", "Expected the name of a set of rules")
            return RejectedShop(index, shop_id, "unknown_rules", [error])
        case ShopImmutable():
            errors = [
                FieldError(f"/{field}", "Expected the present value") for field in refusal.fields
            ]
            return RejectedShop(index, shop_id, "immutable", errors)
        case _:
            raise refusal
