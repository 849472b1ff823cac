"""Every route of the service, and what is checked before a handler under `/v1` runs."""

from typing import Any

from litestar import Request, Response, Router
from litestar.enums import HttpMethod
from litestar.routes import HTTPRoute

from api import (
    audit,
    docs,
    erasures,
    events,
    health,
    insights,
    keys,
    ladders,
    listings,
    reviews,
    rules,
    scorecards,
    shops,
    snapshots,
    stamp,
)
from api.conditional import JSONResponse
from api.head import head_problem
from api.parameters import check_listed, check_query
from api.request import ApiRequest
from domain.errors import NotFound


async def start(request: Request[Any, Any, Any]) -> Response[None] | None:
    """Note when a request was routed, check its host and path, answer OPTIONS."""
    stamp.start(request.scope)
    if problem := head_problem(request.scope):
        raise problem
    if request.method == HttpMethod.OPTIONS:
        return _allow(request)
    check_listed(request.path_params, request.route_handler.fn)
    return None


async def admit(request: Request[Any, Any, Any]) -> Response[None] | None:
    """Check the key and its scope, the head of the body, and the query string.

    Guards would check it too, at the price of a copy of the route handler for each request.
    """
    if answer := await start(request):
        return answer
    assert isinstance(request, ApiRequest)
    await request.authenticate()
    request.check_body()
    check_query(request.scope["query_string"], request.route_handler.fn)
    shop_id = request.path_params.get("shop_id")
    if shop_id is not None and not request.auth.may_access(shop_id):
        raise NotFound("shop", shop_id)
    return None


def _allow(request: Request[Any, Any, Any]) -> Response[None]:
    """Return the methods of a path, of which Litestar's own answer knows the first registered."""
    template = request.scope["path_template"]
    route = next(route for route in request.app.routes if route.path_format == template)
    assert isinstance(route, HTTPRoute)
    handler = next(
        item for item in route.route_handlers if HttpMethod.OPTIONS not in item.http_methods
    )
    check_listed(request.path_params, handler.fn)
    headers = {"Allow": ", ".join(sorted(route.methods))}
    if handler.fn is events.post_events.fn and "webhook-request-origin" in request.headers:
        assert isinstance(request, ApiRequest)
        headers |= events.handshake(request)
    return Response(None, status_code=204, headers=headers)


_FAMILIES = [
    events.router,
    shops.router,
    ladders.router,
    keys.router,
    scorecards.router,
    insights.router,
    listings.router,
    reviews.router,
    rules.router,
    snapshots.router,
    erasures.router,
    audit.router,
]
_OPEN_FAMILIES = [health.router, docs.router]

ROUTES = [
    Router("/v1", route_handlers=_FAMILIES, before_request=admit, response_class=JSONResponse),
    Router("/", route_handlers=_OPEN_FAMILIES, before_request=start),
]
TAGS = [tag for family in (*_FAMILIES, *_OPEN_FAMILIES) for tag in family.tags]
