"""Ladders: the amounts that a tenant says make the levels of a category."""

from litestar import Response, Router, delete, put
from litestar.params import JSONBody

from api.conditional import JSONResponse
from api.operations import SMALL_JSON, get, operation
from api.parameters import Category, Marketplace
from api.request import ApiRequest
from domain.tier import LadderDraft

_PATH = "/ladders/{marketplace:str}/{category:str}"


@put(
    _PATH,
    summary="Set the amounts of levels 2 to 7 in a category",
    **operation(
        "admin",
        tenant_wide=True,
        bodies=SMALL_JSON,
        statuses=(200, 201),
        problems=("invalid", "too_many"),
    ),
)
async def put_ladder(
    request: ApiRequest, marketplace: Marketplace, category: Category, data: JSONBody[LadderDraft]
) -> Response[LadderDraft]:
    """Store a ladder, which serves every day from now on, past ones included."""
    ladder = data.ladder()
    ports = request.ports
    created = await ports.ladders.put(
        request.act, marketplace, category, ladder, ports.limits.definitions_max
    )
    return JSONResponse(ladder.draft(), status_code=201 if created else 200)


@get(
    _PATH, summary="The amounts of a category", **operation("scores:read", problems=("not_found",))
)
async def get_ladder(
    request: ApiRequest, marketplace: Marketplace, category: Category
) -> LadderDraft:
    """Return the ladder as it is now."""
    ladder = await request.ports.ladders.get(request.auth.tenant_id, marketplace, category)
    return ladder.draft()


@delete(
    _PATH,
    summary="Remove the amounts of a category",
    **operation("admin", tenant_wide=True, problems=("not_found",)),
)
async def delete_ladder(request: ApiRequest, marketplace: Marketplace, category: Category) -> None:
    """Remove a ladder: levels come from peers again, where there is a snapshot of them."""
    await request.ports.ladders.delete(request.act, marketplace, category)


router = Router("/", tags=["ladders"], route_handlers=[put_ladder, get_ladder, delete_ladder])
