"""Listings of a shop, in four views."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date
from typing import Annotated

import msgspec
from litestar import Router
from litestar.params import QueryParameter

from api.operations import get, operation
from api.pages import cut_page, resume
from api.parameters import LIMIT_DEFAULT, AsOf, Cursor, Limit, ShopId
from api.request import ApiRequest
from api.shop_reads import Heading, day_or_today, get_stored_shop, heading
from domain.days import window
from domain.listings import Listing, View, build_listing, is_in, listing_filter
from domain.names import Id
from domain.ports import StoredShop

READ_AT_ONCE = 500


class ListingsFilters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of a list of listings."""

    view: View | None = None
    as_of: date | None = None


class ListingsPage(Heading, frozen=True):
    """One page of listings, by id."""

    items: list[Listing]
    next_cursor: str | None


@get(
    "/shops/{shop_id:str}/listings",
    summary="Listings of a shop: all, on sale, zero-payment or slow",
    **operation("scores:read", problems=("not_found",)),
)
async def list_listings(
    request: ApiRequest,
    *,
    shop_id: ShopId,
    view: Annotated[View | None, QueryParameter(description="Which listings.")] = None,
    as_of: AsOf = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> ListingsPage:
    """Return the listings of a view, a page at a time.

    Later pages keep the day of the first.
    """
    filters, after = resume(cursor, ListingsFilters(view, as_of), tuple[Id])
    stored = await get_stored_shop(request, shop_id)
    day = day_or_today(request, stored.shop, filters.as_of)
    view = filters.view or "all"
    listings = listings_by_id(
        request,
        stored,
        day,
        view=view,
        after=after[0] if after else "",
        at_once=min(limit + 1, READ_AT_ONCE),
    )
    matching: list[Listing] = []
    async with aclosing(listings):
        async for listing in listings:
            matching.append(listing)
            if len(matching) > limit:
                break
    items, following = cut_page(
        matching, limit, ListingsFilters(view, day), lambda listing: (listing.listing_id,)
    )
    return ListingsPage(**heading(stored, day), items=items, next_cursor=following)


async def listings_by_id(
    request: ApiRequest,
    stored: StoredShop,
    as_of: date,
    *,
    view: View = "all",
    after: str = "",
    at_once: int = READ_AT_ONCE,
) -> AsyncGenerator[Listing]:
    """Yield the listings of a view as of a day, read in parts."""
    rules = stored.rules.rules
    units_from = window(as_of, rules.sold_window_days).start
    passing = listing_filter(view, as_of, rules)
    while True:
        facts = await request.ports.listings.page(
            stored.key, as_of, passing, units_from=units_from, after=after, limit=at_once
        )
        for known in facts:
            listing = build_listing(known, as_of)
            if is_in(view, listing, as_of, rules):
                yield listing
        if len(facts) < at_once:
            return
        after, at_once = facts[-1].listing_id, READ_AT_ONCE


router = Router("/", tags=["listings"], route_handlers=[list_listings])
