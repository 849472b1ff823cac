"""The application: the hexagon put together, and nothing else."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

from litestar import Litestar
from litestar.datastructures import State

from api import (
    docs,
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
)
from api.context import Context, Limits
from api.dispatch import Dispatch
from api.memory_budget import MemoryBudget
from api.patience import Patience
from api.rate_limit import TokenBucketLimiter
from infra.postgres.batching_ledger import BatchingLedger
from infra.postgres.database import PoolLimits, open_database
from infra.postgres.health import Health
from infra.postgres.keys import Keys
from infra.postgres.ladders import Ladders
from infra.postgres.ledger import Ledger
from infra.postgres.listings import Listings
from infra.postgres.peer_sales import PeerSales
from infra.postgres.peers import Peers
from infra.postgres.reviews import Reviews
from infra.postgres.rule_sets import RuleSets
from infra.postgres.rules import RulesCache
from infra.postgres.scores import Scores
from infra.postgres.shop_cache import ShopCache
from infra.postgres.shops import Shops

Clock = Callable[[], datetime]

HANDLERS = [
    events.post_events,
    shops.put_shop,
    shops.post_shops,
    shops.get_shop,
    shops.list_shops,
    ladders.put_ladder,
    ladders.get_ladder,
    ladders.delete_ladder,
    keys.post_key,
    keys.list_keys,
    keys.delete_key,
    scorecards.get_scorecard,
    scorecards.list_scorecards,
    insights.get_dsr,
    insights.get_tier,
    insights.get_sell_through,
    insights.get_trend,
    insights.get_change,
    insights.get_forecast,
    insights.get_plan,
    listings.list_listings,
    reviews.list_reviews,
    rules.list_rules,
    rules.get_rules,
    rules.put_rules,
    snapshots.post_snapshot,
    snapshots.list_snapshots,
    health.livez,
    health.readyz,
    health.metrics,
    docs.get_contract,
    docs.get_docs,
    docs.get_problem,
]


@asynccontextmanager
async def open_context(
    dsn: str, pool: PoolLimits, limits: Limits, clock: Clock
) -> AsyncIterator[Context]:
    """Open every port on a database."""
    async with open_database(dsn, pool) as database:
        book = ShopCache(database, RulesCache())
        yield Context(
            ledger=BatchingLedger(Ledger(database, book), limits.waiting_events_max),
            shops=Shops(database, book),
            ladders=Ladders(database),
            keys=Keys(database),
            scores=Scores(database, book),
            rules=RuleSets(database, book),
            peers=Peers(database, book.rules),
            peer_sales=PeerSales(database),
            listings=Listings(database),
            reviews=Reviews(database),
            health=Health(database),
            clock=clock,
            buckets=TokenBucketLimiter(limits.requests_per_s) if limits.requests_per_s else None,
            room=MemoryBudget(max(limits.incoming_bytes_max, limits.batch_bytes_max)),
            patience=Patience(),
            limits=limits,
        )


class Application(Litestar):
    """Litestar, within which a request goes straight to its operation."""

    def __init__(
        self,
        dispatch: Dispatch,
        lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]],
    ) -> None:
        super().__init__(
            lifespan=[lifespan],
            logging_config=None,
            openapi_config=None,
            state=State({"dispatch": dispatch}),
        )
        self._dispatch = dispatch

    def __call__(self, scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        """Answer a request, or take part in the start and the end of the server."""
        answer = self._dispatch if scope["type"] == "http" else super().__call__
        return answer(scope, receive, send)


def create_app(open_ports: Callable[[], AbstractAsyncContextManager[Context]]) -> Litestar:
    """Make the application, whose ports open when it starts and close when it ends."""
    dispatch = Dispatch(HANDLERS)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with open_ports() as context:
            dispatch.context = context
            yield

    return Application(dispatch, lifespan)
