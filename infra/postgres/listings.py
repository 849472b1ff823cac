"""Listings on Postgres."""

from collections import defaultdict
from datetime import date

from domain.days import Window
from domain.facts.listings import ListingEvent
from domain.listings import ListingFacts, ListingFilter
from domain.ports import ShopKey
from domain.sell_through import SoldListings
from infra.postgres.database import Connection, Database
from infra.postgres.statements import sql


class Listings:
    """See `domain.ports.Listings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        shop: ShopKey,
        as_of: date,
        listing_filter: ListingFilter,
        *,
        units_from: date,
        after: str,
        limit: int,
    ) -> list[ListingFacts]:
        """Return up to `limit` listings by id, from the first id over `after`."""
        published = listing_filter.published or (None, None)
        conditions = (*published, listing_filter.unsold_from, listing_filter.unedited_from)

        async def work(connection: Connection) -> list[ListingFacts]:
            rows = await connection.fetch(
                sql("listings_page"), *shop, as_of, units_from, after, limit, *conditions
            )
            events: defaultdict[str, list[ListingEvent]] = defaultdict(list)
            ids = [row["listing_id"] for row in rows]
            for row in await connection.fetch(sql("listing_events_until"), *shop, ids, as_of):
                event = ListingEvent(*row)
                events[event.listing_id].append(event)
            return [
                ListingFacts(
                    listing_id=row["listing_id"],
                    events=events[row["listing_id"]],
                    last_sold_on=row["last_sold_on"],
                    units_sold=row["units"] or 0,
                    stock=row["on_hand"],
                )
                for row in rows
            ]

        return await self._database.run(work, snapshot=True)

    async def sold(self, shop: ShopKey, span: Window) -> SoldListings:
        """Count the listings on sale at the end of a window, and the sold ones."""
        [row] = await self._database.fetch("sold_listings", *shop, span.start, span.end)
        return SoldListings(**row)
