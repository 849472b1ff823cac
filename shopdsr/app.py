"""The application: domain, API and storage put together, and nothing else."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import partial

from litestar import Litestar
from litestar.config.cors import CORSConfig

from api.exceptions import to_response
from api.memory_budget import BYTES_HELD_PER_BYTE, MemoryBudget
from api.metrics import Metrics, QueueFigures, StorageFigures
from api.ports import Limits, Ports
from api.rate_limit import TokenBucketLimiter
from api.request import ApiRequest
from api.routes import ROUTES
from api.telemetry import observe
from infra.postgres.audit_trail import AuditTrail
from infra.postgres.batching_ledger import BatchingLedger
from infra.postgres.database import Database, PoolLimits, open_database
from infra.postgres.erasures import Erasures
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


@asynccontextmanager
async def open_ports(
    dsn: str, pool: PoolLimits, limits: Limits, clock: Clock
) -> AsyncIterator[Ports]:
    """Open every port on one database."""
    async with open_database(dsn, pool) as database:
        shop_cache = ShopCache(database, RulesCache())
        rate = limits.requests_per_s
        ledger = BatchingLedger(Ledger(database, shop_cache), limits.waiting_events_max)
        yield Ports(
            ledger=ledger,
            shops=Shops(database, shop_cache, limits.shops_max),
            erasures=Erasures(database, shop_cache),
            ladders=Ladders(database),
            keys=Keys(database),
            scores=Scores(database, shop_cache),
            rules=RuleSets(database, shop_cache),
            peers=Peers(database, shop_cache.rules),
            peer_sales=PeerSales(database),
            listings=Listings(database),
            reviews=Reviews(database),
            audit_trail=AuditTrail(database),
            health=Health(database),
            storage_figures=partial(_storage_figures, database, ledger),
            clock=clock,
            rate_limiter=TokenBucketLimiter(rate) if rate else None,
            memory_budget=MemoryBudget(
                max(limits.incoming_bytes_max, BYTES_HELD_PER_BYTE * limits.batch_bytes_max)
            ),
            limits=limits,
        )


def create_app(
    ports: Callable[[], AbstractAsyncContextManager[Ports]], cors_origins: Sequence[str] = ()
) -> Litestar:
    """Build the application; its ports are opened when it starts and closed when it ends.

    Pages from `cors_origins` may call it.
    """

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with ports() as opened:
            app.state.ports = opened
            app.state.metrics = Metrics(opened.storage_figures)
            yield

    return Litestar(
        ROUTES,
        request_class=ApiRequest,
        exception_handlers={Exception: to_response},
        before_send=[observe],
        lifespan=[lifespan],
        logging_config=None,
        openapi_config=None,
        cors_config=_cors(cors_origins) if cors_origins else None,
    )


def _cors(origins: Sequence[str]) -> CORSConfig:
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "Prefer", "X-Request-Id"],
        expose_headers=["ETag", "Preference-Applied", "Retry-After", "X-Request-Id"],
    )


def _storage_figures(database: Database, ledger: BatchingLedger) -> StorageFigures:
    return StorageFigures(
        queues={
            name: QueueFigures(queue.batches, queue.batched, queue.waited_s)
            for name, queue in ledger.queues.items()
        },
        connections_max=database.connections_max,
        connections_in_use=database.connections_in_use,
        connection_waits=database.connection_waits,
    )
