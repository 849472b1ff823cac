"""Listings of a shop, in four views."""

import sys
from datetime import date

import msgspec
from msgspec import UNSET, UnsetType

from api.conditional import computed
from api.context import Call
from api.operations import Answer, Beside, Operation, operation
from api.pages import Paged, next_cursor, resume
from api.reading import Heading, day_asked, find_shop, headed
from api.wire import query
from domain.days import window
from domain.listings import Listing, View, is_in, listing, sieve
from domain.names import Id
from domain.ports import StoredShop

READ_AT_ONCE = 500


class ListingsQuery(Paged, frozen=True, kw_only=True):
    """Which listings, as of which day."""

    view: View | UnsetType = UNSET
    as_of: date | UnsetType = UNSET


class ListingsPage(msgspec.Struct, frozen=True):
    """One page of listings, by id."""

    items: list[Listing]
    next_cursor: str | None


@operation(
    "GET",
    "/v1/shops/{shop_id:str}/listings",
    Operation(
        name="listListings",
        summary="Listings of a shop: all, on sale, zero-payment or slow",
        scope="scores:read",
        query=ListingsQuery,
        answers={200: Beside(Heading, ListingsPage)},
        problems=("not_found",),
    ),
)
async def list_listings(request: Call, shop_id: str) -> Answer:
    """The listings of a view, a page at a time; later pages keep the day of the first."""
    asked, after = resume(query(request, ListingsQuery), tuple[Id])
    kept = await find_shop(request, shop_id)
    as_of = day_asked(request, kept.shop, asked.as_of)
    view: View = "all" if asked.view is UNSET else asked.view
    found = await _matching(
        request, kept, as_of, view=view, after=after[0] if after else "", limit=asked.limit + 1
    )
    items = found[: asked.limit]
    resumed = msgspec.structs.replace(asked, view=view, as_of=as_of)
    more = len(found) > len(items)
    page = ListingsPage(items, next_cursor(resumed, (items[-1].listing_id,)) if more else None)
    return computed(request, headed(kept, as_of, page))


async def all_listings(request: Call, kept: StoredShop, as_of: date) -> list[Listing]:
    """Every listing that exists as of a day."""
    return await _matching(request, kept, as_of, view="all", after="", limit=sys.maxsize)


async def _matching(
    request: Call, kept: StoredShop, as_of: date, *, view: View, after: str, limit: int
) -> list[Listing]:
    rules = kept.rules.rules
    units_from = window(as_of, rules.sold_window_days).start
    passing = sieve(view, as_of, rules)
    at_once = min(limit, READ_AT_ONCE)
    found: list[Listing] = []
    while len(found) < limit:
        facts = await request.context.listings.page(
            kept.key, as_of, passing, units_from=units_from, after=after, limit=at_once
        )
        listings = (listing(known, as_of) for known in facts)
        found.extend(one for one in listings if is_in(view, one, as_of, rules))
        if len(facts) < at_once:
            break
        after, at_once = facts[-1].listing_id, READ_AT_ONCE
    return found[:limit]
