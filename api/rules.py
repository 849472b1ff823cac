"""Rules: built-in sets to read, a tenant's own to store."""

import msgspec
from litestar import Response, Router, put
from litestar.params import JSONBody

from api.conditional import JSONResponse
from api.operations import SMALL_JSON, get, operation
from api.pages import cut_page, resume
from api.parameters import LIMIT_DEFAULT, Cursor, Limit, RulesName
from api.request import ApiRequest
from domain.names import Name
from domain.rules import Rules, RuleSet


class NamedRules(Rules, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A set of rules with its name; `version` rises with each change."""

    name: str
    version: int
    built_in: bool


class RulesFilters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All sets of rules: there is no filter."""


class RulesPage(msgspec.Struct, frozen=True):
    """One page of built-in sets and the tenant's own, by name."""

    items: list[NamedRules]
    next_cursor: str | None


@get("/rules", summary="Sets of rules by name", **operation("scores:read"))
async def list_rules(
    request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> RulesPage:
    """Return built-in sets and the tenant's own, each in its newest version."""
    filters, after = resume(cursor, RulesFilters(), tuple[Name])
    stored = await request.ports.rules.page(
        request.auth.tenant_id, after[0] if after else "", limit + 1
    )
    items, following = cut_page(stored, limit, filters, lambda rules: (rules.name,))
    return RulesPage([_shown(rules) for rules in items], following)


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
    **operation(
        "admin",
        tenant_wide=True,
        bodies=SMALL_JSON,
        statuses=(200, 201),
        problems=("built_in", "invalid", "too_many"),
    ),
)
async def put_rules(
    request: ApiRequest, name: RulesName, data: JSONBody[Rules]
) -> Response[NamedRules]:
    """Store a set in a new version, and rebuild the shops that follow it."""
    ports = request.ports
    stored, created = await ports.rules.put(request.act, name, data, ports.limits.definitions_max)
    return JSONResponse(_shown(stored), status_code=201 if created else 200)


def _shown(stored: RuleSet) -> NamedRules:
    return NamedRules(
        **msgspec.structs.asdict(stored.rules),
        name=stored.name,
        version=stored.version,
        built_in=stored.built_in,
    )


router = Router("/", tags=["rules"], route_handlers=[list_rules, get_rules, put_rules])
