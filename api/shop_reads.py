"""Reads of one shop: the shop, the day and the heading of each answer."""

from collections.abc import Awaitable, Callable
from datetime import date
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import msgspec

from api.problems import bad_parameter
from api.request import ApiRequest
from domain.days import FIRST_DAY, day_of
from domain.errors import RulesChanged, Unavailable
from domain.ports import StoredShop
from domain.rules import RulesRef
from domain.shops import Shop

READS_MAX = 10

P = ParamSpec("P")
T = TypeVar("T")


class Heading(msgspec.Struct, frozen=True):
    """The first members of every answer about a shop."""

    shop_id: str
    as_of: date
    time_zone: str
    rules: RulesRef


def heading(stored: StoredShop, as_of: date) -> dict[str, Any]:
    """Return the members of the heading of an answer about a shop."""
    shop = stored.shop
    return {
        "shop_id": shop.shop_id,
        "as_of": as_of,
        "time_zone": shop.time_zone,
        "rules": stored.rules.ref,
    }


def retry_on_rules_change(handler: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Run a handler again where the rules changed between its reads."""

    @wraps(handler)
    async def read(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(READS_MAX):
            try:
                return await handler(*args, **kwargs)
            except RulesChanged:
                continue
        raise Unavailable

    return read


async def get_stored_shop(request: ApiRequest, shop_id: str) -> StoredShop:
    """Return the shop of a path; raises NotFound."""
    return await request.ports.shops.get(request.auth.tenant_id, shop_id)


def today(request: ApiRequest, shop: Shop) -> date:
    """Return the shop's today."""
    return day_of(request.ports.clock(), shop.time_zone)


def day_or_today(
    request: ApiRequest, shop: Shop, day: date | None, parameter: str = "as_of"
) -> date:
    """Return a given day, or the shop's today; raises Problem for one out of bounds."""
    latest = today(request, shop)
    return latest if day is None else day_within(day, latest, parameter)


def day_within(day: date, latest: date, parameter: str = "as_of") -> date:
    """Return a day of which there can be facts; raises Problem for any other."""
    if not FIRST_DAY <= day <= latest:
        raise bad_parameter(parameter, f"Expected a day from {FIRST_DAY} to the shop's today")
    return day
