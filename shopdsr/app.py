"""The application: the hexagon put together, and nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from litestar import Litestar
from litestar.datastructures import State
from litestar.types import Message, Scope

from api import events, health, insights, keys, ladders, scorecards, shops
from api.auth import authenticate
from api.context import Context, Limits
from api.problems import answer, request_id
from infra.postgres.database import PoolLimits, open_database
from infra.postgres.health import Health
from infra.postgres.keys import Keys
from infra.postgres.ladders import Ladders
from infra.postgres.ledger import Ledger
from infra.postgres.rules import RuleBook
from infra.postgres.scores import Scores
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
    health.livez,
    health.readyz,
    health.metrics,
    health.openapi,
    health.problem,
]


@asynccontextmanager
async def open_context(
    dsn: str, pool: PoolLimits, limits: Limits, clock: Clock
) -> AsyncIterator[Context]:
    """Every port on one database."""
    async with open_database(dsn, pool) as database:
        rules = RuleBook()
        yield Context(
            ledger=Ledger(database, rules),
            shops=Shops(database, rules),
            ladders=Ladders(database),
            keys=Keys(database),
            scores=Scores(database, rules),
            health=Health(database),
            clock=clock,
            limits=limits,
        )


def create_app(open_ports: Callable[[], AbstractAsyncContextManager[Context]]) -> Litestar:
    """The application; its ports are opened when it starts and closed when it ends."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_ports() as context:
            app.state.context = context
            yield

    return Litestar(
        HANDLERS,
        guards=[authenticate],
        exception_handlers={Exception: answer},
        before_send=[_identify],
        lifespan=[lifespan],
        logging_config=None,
        openapi_config=None,
        request_max_body_size=None,
        state=State(),
    )


async def _identify(message: Message, scope: Scope) -> None:
    if message["type"] == "http.response.start":
        message["headers"] = [*message["headers"], (b"x-request-id", request_id(scope).encode())]
