"""Rules: built-in sets to read, a tenant's own to store."""

import msgspec
from litestar import Response, Router, put
from litestar.params import JSONBody

from api.conditional import JSONResponse
from api.operations import SMALL_JSON, get, operation
from api.parameters import RulesName
from api.request import ApiRequest
from domain.rules import Rules, RuleSet


class NamedRules(Rules, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A set of rules with its name; `version` rises with each change."""

    name: str
    version: int
    built_in: bool


class RulesList(msgspec.Struct, frozen=True):
    """Built-in sets and the tenant's own, by name."""

    items: list[NamedRules]


@get("/rules", summary="Sets of rules", **operation("scores:read"))
async def list_rules(request: ApiRequest) -> RulesList:
    """Return each set in its newest version."""
    stored = await request.ports.rules.all(request.auth.tenant_id)
    return RulesList([_shown(rules) for rules in stored])


@get(
    "/rules/{name:str}",
    summary="One set of rules",
    **operation("scores:read", problems=("not_found",)),
)
async def get_rules(request: ApiRequest, name: RulesName) -> NamedRules:
    """Return the set in its newest version."""
    return _shown(await request.ports.rules.get(request.auth.tenant_id, name))


@put(
    "/rules/{name:str}",
    summary="Store a set of rules",
    **operation("admin", bodies=SMALL_JSON, statuses=(200, 201), problems=("built_in", "invalid")),
)
async def put_rules(
    request: ApiRequest, name: RulesName, data: JSONBody[Rules]
) -> Response[NamedRules]:
    """Store a set in a new version, and rebuild the shops that follow it."""
    stored, created = await request.ports.rules.put(request.act, name, data)
    return JSONResponse(_shown(stored), status_code=201 if created else 200)


def _shown(stored: RuleSet) -> NamedRules:
    return NamedRules(
        **msgspec.structs.asdict(stored.rules),
        name=stored.name,
        version=stored.version,
        built_in=stored.built_in,
    )


router = Router("/", tags=["rules"], route_handlers=[list_rules, get_rules, put_rules])
