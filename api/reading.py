"""What the reads of one shop share: which shop, which day, and the top of the answer."""

from datetime import date
from functools import wraps
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from api.context import Call
from api.operations import Answer, Handler
from api.problems import bad_parameter
from api.shops import fit_name
from api.wire import beside
from domain.days import FIRST_DAY, day_of
from domain.errors import NotFound, RulesChanged, Unavailable
from domain.ports import StoredShop
from domain.rules import RulesRef
from domain.shops import Shop

READS_MAX = 10


class AsOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The day asked about; by default the shop's today."""

    as_of: date | UnsetType = UNSET


class Heading(msgspec.Struct, frozen=True):
    """What stands at the top of every answer about one shop."""

    shop_id: str
    as_of: date
    time_zone: str
    rules: RulesRef


def heading(kept: StoredShop, as_of: date) -> Heading:
    """The heading of an answer about a shop as of a day."""
    return Heading(kept.shop.shop_id, as_of, kept.shop.time_zone, kept.rules.ref)


def headed(kept: StoredShop, as_of: date, answer: msgspec.Struct) -> dict[str, object]:
    """An answer whose members stand beside the heading's."""
    return beside(heading(kept, as_of), answer)


def retry_on_rules_change(handler: Handler) -> Handler:
    """A handler that makes several reads of shops, begun again where their rules moved between."""

    @wraps(handler)
    async def read(*args: Any, **kwargs: Any) -> Answer:
        for _ in range(READS_MAX):
            try:
                return await handler(*args, **kwargs)
            except RulesChanged:
                continue
        raise Unavailable

    return read


def accessible_shop(request: Call, shop_id: str) -> str:
    """The id of a shop that the key may know of; raises NotFound for any other."""
    if not fit_name(shop_id) or not request.auth.reaches(shop_id):
        raise NotFound("shop", shop_id)
    return shop_id


async def find_shop(request: Call, shop_id: str) -> StoredShop:
    """The shop of a path; raises NotFound."""
    accessible_shop(request, shop_id)
    return await request.context.shops.get(request.auth.tenant_id, shop_id)


def today(request: Call, shop: Shop) -> date:
    """The shop's today."""
    return day_of(request.context.clock(), shop.time_zone)


def day_asked(request: Call, shop: Shop, day: date | UnsetType, name: str = "as_of") -> date:
    """A day given, or the shop's today; raises Problem for one out of bounds."""
    latest = today(request, shop)
    if day is UNSET:
        return latest
    return day_within(day, latest, name)


def day_within(day: date, latest: date, name: str = "as_of") -> date:
    """The day, if there can be facts of it; raises Problem for one out of bounds."""
    if not FIRST_DAY <= day <= latest:
        raise bad_parameter(name, f"Expected a day from {FIRST_DAY} to the shop's today")
    return day
