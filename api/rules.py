"""Rules: built-in sets to read, a tenant's own to store."""

import msgspec

from api import bodies
from api.conditional import computed
from api.context import Call, act
from api.operations import Answer, Operation, operation
from api.problems import bad_parameter
from api.shops import NAME_SHAPE, fit_name
from api.wire import JSON, NoParameters, decode, is_json, query, reply
from domain.errors import BuiltInRules, NotFound
from domain.rules import BUILT_IN, Rules, RuleSet


class NamedRules(Rules, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A set of rules with its name; `version` rises with each change."""

    name: str
    version: int
    built_in: bool


class RulesList(msgspec.Struct, frozen=True):
    """Built-in sets and the tenant's own, by name."""

    items: list[NamedRules]


@operation(
    "GET",
    "/v1/rules",
    Operation(
        name="listRules",
        summary="Sets of rules",
        scope="scores:read",
        query=NoParameters,
        answers={200: RulesList},
    ),
)
async def list_rules(request: Call) -> Answer:
    """Each set in its newest version."""
    query(request, NoParameters)
    found = await request.context.rules.all(request.auth.tenant_id)
    return computed(request, RulesList([_shown(rules) for rules in found]))


@operation(
    "GET",
    "/v1/rules/{name:str}",
    Operation(
        name="getRules",
        summary="One set of rules",
        scope="scores:read",
        query=NoParameters,
        answers={200: NamedRules},
        problems=("not_found",),
    ),
)
async def get_rules(request: Call, name: str) -> Answer:
    """The set in its newest version."""
    query(request, NoParameters)
    if not fit_name(name):
        raise NotFound("set of rules", name)
    return computed(request, _shown(await request.context.rules.get(request.auth.tenant_id, name)))


@operation(
    "PUT",
    "/v1/rules/{name:str}",
    Operation(
        name="putRules",
        summary="Store a set of rules",
        scope="admin",
        query=NoParameters,
        bodies={JSON: Rules},
        answers={200: NamedRules, 201: NamedRules},
        problems=("built_in", "invalid"),
    ),
)
async def put_rules(request: Call, name: str) -> Answer:
    """A new version where the content is new; shops that follow the set are settled anew."""
    ctx = request.context
    bodies.media_type(request, (JSON,))
    body = await bodies.read(request, ctx.limits.event_bytes_max)
    query(request, NoParameters)
    if not fit_name(name):
        raise bad_parameter("name", NAME_SHAPE)
    if name in BUILT_IN and is_json(body):
        raise BuiltInRules(name)
    stored, created = await ctx.rules.put(act(request), name, decode(body, Rules))
    return reply(_shown(stored), 201 if created else 200)


def _shown(found: RuleSet) -> NamedRules:
    return NamedRules(
        **msgspec.structs.asdict(found.rules),
        name=found.name,
        version=found.version,
        built_in=found.built_in,
    )
