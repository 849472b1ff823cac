"""The application of the plain service."""

# The packages of this file are in the lock of the benchmarks alone.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator"

import hmac
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.schema import CreateSchema

from benchmarks.plain.key import KEY
from benchmarks.plain.tables import SCHEMA, Rating, Tables

WINDOW = timedelta(days=180)
BATCH_MAX = 5_000

Id = Annotated[str, Field(min_length=1, max_length=64)]
Stars = Annotated[int, Field(ge=1, le=5)]

engine = create_async_engine(
    os.environ["PLAIN_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1),
    pool_size=10,
    max_overflow=0,
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
on_conflict = os.environ.get("PLAIN_DUPLICATES") == "on_conflict"


class RatingIn(BaseModel):
    """A rating as it is sent."""

    shop_id: Id
    review_id: Id
    order_id: Id
    buyer_id: Id
    listing_id: Id | None = None
    time: AwareDatetime
    completed_at: AwareDatetime | None = None
    description: Stars | None = None
    service: Stars | None = None
    logistics: Stars | None = None
    comment: Annotated[str, Field(max_length=2_000)] | None = None


class Stored(BaseModel):
    """How many ratings were new, and how many were known."""

    stored: int
    duplicates: int


class Average(BaseModel):
    """Mean stars of a shop by dimension, over 180 days."""

    shop_id: str
    ratings: int
    description: float | None
    service: float | None
    logistics: float | None


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make the tables where they are missing."""
    async with engine.begin() as connection:
        await connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
        await connection.run_sync(Tables.metadata.create_all)
    yield
    await engine.dispose()


async def authorized(authorization: Annotated[str, Header()] = "") -> None:
    """Let through whoever has the key."""
    if not hmac.compare_digest(authorization, f"Bearer {KEY}"):
        raise HTTPException(401)


async def session() -> AsyncIterator[AsyncSession]:
    """A session for one request."""
    async with sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]
app = FastAPI(lifespan=lifespan)


@app.post("/ratings", dependencies=[Depends(authorized)])
async def post_ratings(
    body: RatingIn | Annotated[list[RatingIn], Field(max_length=BATCH_MAX)], session: Session
) -> Stored:
    """Keep ratings, each once."""
    ratings = body if isinstance(body, list) else [body]
    rows = [rating.model_dump() for rating in ratings]
    stored = await _new(session, rows) if on_conflict else await _all_or_each(session, rows)
    return Stored(stored=stored, duplicates=len(rows) - stored)


@app.get("/shops/{shop_id}/average", dependencies=[Depends(authorized)])
async def get_average(shop_id: str, session: Session) -> Average:
    """The average over a shop's ratings of 180 days."""
    columns = (Rating.description, Rating.service, Rating.logistics)
    found = await session.execute(
        select(func.count(), *(func.avg(column) for column in columns)).where(
            Rating.shop_id == shop_id, Rating.time > datetime.now(UTC) - WINDOW
        )
    )
    count, *means = found.one()
    description, service, logistics = (None if mean is None else float(mean) for mean in means)
    return Average(
        shop_id=shop_id,
        ratings=count,
        description=description,
        service=service,
        logistics=logistics,
    )


@app.get("/readyz")
async def ready() -> dict[str, str]:
    """Tell that it serves."""
    return {}


async def _all_or_each(session: AsyncSession, rows: Sequence[dict[str, object]]) -> int:
    """Insert all; where one is known, insert one by one. How many were new."""
    try:
        await session.execute(insert(Rating), rows)
        await session.commit()
    except IntegrityError:
        await session.rollback()
    else:
        return len(rows)
    stored = 0
    for row in rows:
        try:
            async with session.begin_nested():
                await session.execute(insert(Rating), [row])
            stored += 1
        except IntegrityError:
            continue
    await session.commit()
    return stored


async def _new(session: AsyncSession, rows: Sequence[dict[str, object]]) -> int:
    """Insert what is not known, in one statement. How many were new."""
    statement = postgresql_insert(Rating).on_conflict_do_nothing().returning(Rating.review_id)
    found = await session.execute(statement, rows)
    stored = len(found.all())
    await session.commit()
    return stored
