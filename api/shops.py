"""Shops: described by callers, one by one or as a list."""

from typing import Annotated, Literal

import msgspec
from litestar import Response, Router, delete, post, put
from litestar.params import JSONBody
from msgspec import Meta

from api.conditional import JSONResponse
from api.faults import body_faults
from api.memory_budget import Reservation
from api.operations import LARGE_JSON, SMALL_JSON, get, operation
from api.pages import cut_page, resume
from api.parameters import LIMIT_DEFAULT, Cursor, InCategory, InMarketplace, Limit, ShopId
from api.problems import Problem
from api.request import ApiRequest
from api.shop_reads import get_stored_shop
from api.strict_json import NOT_JSON, array_parts
from domain.errors import ERRORS_MAX, FieldError, Refusal, ShopImmutable, UnknownRules
from domain.names import Name
from domain.ports import PutOutcome
from domain.shops import IdentifiedDraft, Shop, ShopDraft

SHOPS_MAX = 1_000


class RejectedShop(msgspec.Struct, frozen=True):
    """A shop of a list that was not stored; `index` is its place in the list."""

    index: int
    shop_id: str | None
    code: Literal["malformed", "invalid", "unknown_rules", "immutable"]
    errors: Annotated[list[FieldError], Meta(max_length=ERRORS_MAX)]


class _Named(msgspec.Struct):
    """An object of which only the shop id is decoded."""

    shop_id: msgspec.Raw = msgspec.Raw(b"null")


class PutShops(msgspec.Struct, frozen=True):
    """Outcomes of a list of shops."""

    received: int
    created: int
    changed: int
    unchanged: int
    rejected_count: int
    rejected: Annotated[list[RejectedShop], Meta(max_length=SHOPS_MAX)]


class ShopsFilters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of a list of shops."""

    marketplace: Name | None = None
    category: Name | None = None


class ShopsPage(msgspec.Struct, frozen=True):
    """One page of shops, by id."""

    items: list[Shop]
    next_cursor: str | None


@put(
    "/shops/{shop_id:str}",
    summary="Register a shop, or replace its description",
    **operation(
        "shops:write",
        bodies=SMALL_JSON,
        statuses=(200, 201),
        problems=("not_found", "immutable", "invalid", "unknown_rules", "too_many"),
    ),
)
async def put_shop(
    request: ApiRequest, shop_id: ShopId, data: JSONBody[ShopDraft]
) -> Response[Shop]:
    """Replace the whole shop; absent members take their defaults."""
    shop = data.named(shop_id)
    [outcome] = await request.ports.shops.put(request.act, [shop])
    if isinstance(outcome, Refusal):
        raise outcome
    return JSONResponse(shop, status_code=201 if outcome == "created" else 200)


@post(
    "/shops",
    summary="Register or replace up to 1,000 shops",
    **operation(
        "shops:write",
        bodies=LARGE_JSON,
        statuses=(200, 207),
        problems=("invalid", "all_refused", "too_many"),
    ),
)
async def post_shops(request: ApiRequest) -> Response[PutShops]:
    """Replace each shop of a list by itself, whatever becomes of the others."""
    with request.reservation() as reservation:
        drafts = await _drafts(request, reservation)
    shops: dict[int, Shop] = {}
    rejected: dict[int, RejectedShop] = {}
    seen: set[str] = set()
    for index, draft in enumerate(drafts):
        if isinstance(draft, RejectedShop):
            rejected[index] = draft
        elif not request.auth.may_access(draft.shop_id) or draft.shop_id in seen:
            why = "Expected an id once" if draft.shop_id in seen else "Expected a shop of this key"
            error = FieldError("/shop_id", why)
            rejected[index] = RejectedShop(index, draft.shop_id, "invalid", [error])
        else:
            seen.add(draft.shop_id)
            shops[index] = draft.named(draft.shop_id)
    outcomes = await request.ports.shops.put(request.act, list(shops.values()))
    done: list[PutOutcome] = []
    for (index, shop), outcome in zip(shops.items(), outcomes, strict=True):
        if isinstance(outcome, Refusal):
            rejected[index] = _refused(index, shop.shop_id, outcome)
        else:
            done.append(outcome)
    answer = PutShops(
        received=len(drafts),
        created=done.count("created"),
        changed=done.count("changed"),
        unchanged=done.count("unchanged"),
        rejected_count=len(rejected),
        rejected=[rejected[index] for index in sorted(rejected)],
    )
    if rejected and len(rejected) == len(drafts):
        raise Problem("all_refused", "No shop was stored", members=msgspec.structs.asdict(answer))
    return JSONResponse(answer, status_code=207 if rejected else 200)


@delete(
    "/shops/{shop_id:str}",
    summary="Delete a shop",
    **operation("admin", problems=("not_found",)),
)
async def delete_shop(request: ApiRequest, shop_id: ShopId) -> None:
    """Delete a shop and every fact of it.

    The shop is gone from all reads when this answers. Peer snapshots that compared the shop stay
    as they are. A shop of the same id may be registered again and starts empty.
    """
    await request.ports.shops.delete(request.act, shop_id)


@get(
    "/shops/{shop_id:str}",
    summary="One shop",
    **operation("scores:read", problems=("not_found",)),
)
async def get_shop(request: ApiRequest, shop_id: ShopId) -> Shop:
    """Return the shop as it was last described."""
    return (await get_stored_shop(request, shop_id)).shop


@get("/shops", summary="Shops by id", **operation("scores:read"))
async def list_shops(
    request: ApiRequest,
    marketplace: InMarketplace = None,
    category: InCategory = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> ShopsPage:
    """Return the shops that the key reaches, a page at a time."""
    filters, after = resume(cursor, ShopsFilters(marketplace, category), tuple[Name])
    shops = await request.ports.shops.page(
        request.auth.tenant_id,
        request.auth.shop_ids,
        marketplace=filters.marketplace,
        category=filters.category,
        after=after[0] if after else "",
        limit=limit + 1,
    )
    return ShopsPage(*cut_page(shops, limit, filters, lambda shop: (shop.shop_id,)))


async def _drafts(
    request: ApiRequest, reservation: Reservation
) -> list[IdentifiedDraft | RejectedShop]:
    drafts: list[IdentifiedDraft | RejectedShop] = []
    body = await request.read_body(reservation)
    async for part in array_parts(body, SHOPS_MAX, "shops"):
        drafts += [_draft(index, item) for index, item in enumerate(part, len(drafts))]
    return drafts


def _draft(index: int, item: bytes | msgspec.Raw) -> IdentifiedDraft | RejectedShop:
    try:
        return msgspec.json.decode(item, type=IdentifiedDraft)
    except NOT_JSON:
        errors = body_faults(item, IdentifiedDraft)
    try:
        shop_id = msgspec.json.decode(item, type=_Named).shop_id
    except NOT_JSON:
        return RejectedShop(index, None, "malformed", [FieldError("", "Expected a JSON object")])
    try:
        named = msgspec.json.decode(shop_id, type=str)
    except NOT_JSON:
        named = None
    return RejectedShop(index, named, "invalid", errors)


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


router = Router(
    "/",
    tags=["shops"],
    route_handlers=[put_shop, post_shops, get_shop, list_shops, delete_shop],
)
