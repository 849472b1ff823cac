"""Ladders: the amounts that a tenant says make the levels of a category."""

from api import bodies
from api.conditional import computed
from api.context import Call, act
from api.operations import Answer, Operation, operation
from api.problems import bad_parameter
from api.shops import NAME_SHAPE, fit_name
from api.wire import JSON, NoParameters, decode, nothing, query, reply
from domain.errors import NotFound
from domain.tier import LadderDraft

_PATH = "/v1/ladders/{marketplace:str}/{category:str}"


@operation(
    "PUT",
    _PATH,
    Operation(
        name="putLadder",
        summary="Set the amounts of levels 2 to 7 in a category",
        scope="admin",
        query=NoParameters,
        bodies={JSON: LadderDraft},
        answers={200: LadderDraft, 201: LadderDraft},
        problems=("invalid",),
    ),
)
async def put_ladder(request: Call, marketplace: str, category: str) -> Answer:
    """The ladder serves every day from now on, past ones included."""
    ctx = request.context
    bodies.media_type(request, (JSON,))
    body = await bodies.read(request, ctx.limits.event_bytes_max)
    query(request, NoParameters)
    for name, value in (("marketplace", marketplace), ("category", category)):
        if not fit_name(value):
            raise bad_parameter(name, NAME_SHAPE)
    ladder = decode(body, LadderDraft).ladder()
    created = await ctx.ladders.put(act(request), marketplace, category, ladder)
    return reply(ladder.draft(), 201 if created else 200)


@operation(
    "GET",
    _PATH,
    Operation(
        name="getLadder",
        summary="The amounts of a category",
        scope="scores:read",
        query=NoParameters,
        answers={200: LadderDraft},
        problems=("not_found",),
    ),
)
async def get_ladder(request: Call, marketplace: str, category: str) -> Answer:
    """The ladder as it is now."""
    query(request, NoParameters)
    _must_fit(marketplace, category)
    ladder = await request.context.ladders.get(request.auth.tenant_id, marketplace, category)
    return computed(request, ladder.draft())


@operation(
    "DELETE",
    _PATH,
    Operation(
        name="deleteLadder",
        summary="Remove the amounts of a category",
        scope="admin",
        query=NoParameters,
        answers={204: None},
        problems=("not_found",),
    ),
)
async def delete_ladder(request: Call, marketplace: str, category: str) -> Answer:
    """Levels come from peers again, where there is a snapshot of them."""
    query(request, NoParameters)
    _must_fit(marketplace, category)
    await request.context.ladders.delete(act(request), marketplace, category)
    return nothing()


def _must_fit(marketplace: str, category: str) -> None:
    if not (fit_name(marketplace) and fit_name(category)):
        raise NotFound("ladder", f"{marketplace}/{category}")
