"""The plain service: ratings in, averages out, as a good team writes it in an afternoon.

It checks a key, validates, stores each review once and counts duplicates, and averages the raw rows
of a shop's 180 days. It has no cap per buyer, no deadlines, no totals, no tenants and no other
events. A batch that holds a stored review is inserted again row by row, each in a savepoint.
"""

import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import DateTime, Index, SmallInteger, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateSchema

from benchmarks.worlds import PLAIN_KEY

SCHEMA, WINDOW = "plain", timedelta(days=180)
Id = Annotated[str, Field(min_length=1, max_length=64)]
Stars = Annotated[int, Field(ge=1, le=5)]
URL = os.environ["PLAIN_DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:", 1)
engine = create_async_engine(URL, pool_size=10, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Tables(DeclarativeBase):
    """Every table, and the columns of their types."""

    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True), int: SmallInteger}


class Rating(Tables):
    """One rating of one order."""

    __tablename__ = "ratings"
    __table_args__ = (Index("ratings_shop_time_idx", "shop_id", "time"), {"schema": SCHEMA})

    shop_id: Mapped[str] = mapped_column(primary_key=True)
    review_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    buyer_id: Mapped[str]
    listing_id: Mapped[str | None]
    time: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    description: Mapped[int | None]
    service: Mapped[int | None]
    logistics: Mapped[int | None]
    comment: Mapped[str | None]


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


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Create the missing tables."""
    async with engine.begin() as connection:
        await connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
        await connection.run_sync(Tables.metadata.create_all)
    yield
    await engine.dispose()


async def authorize(authorization: Annotated[str, Header()] = "") -> None:
    """Refuse requests without the key."""
    if not hmac.compare_digest(authorization, f"Bearer {PLAIN_KEY}"):
        raise HTTPException(401)


app = FastAPI(lifespan=lifespan)


@app.post("/ratings", dependencies=[Depends(authorize)])
async def post_ratings(
    body: RatingIn | Annotated[list[RatingIn], Field(max_length=5_000)],
) -> dict[str, int]:
    """Store ratings, each once, and return the numbers of new and of known ones."""
    rows = [rating.model_dump() for rating in (body if isinstance(body, list) else [body])]
    async with sessions() as session:
        try:
            await session.execute(insert(Rating), rows)
            stored = len(rows)
        except IntegrityError:
            await session.rollback()
            stored = sum([await is_new(session, row) for row in rows])
        await session.commit()
    return {"stored": stored, "duplicates": len(rows) - stored}


async def is_new(session: Any, row: dict[str, Any]) -> bool:
    """Insert a row in a savepoint, and return whether it is new."""
    try:
        async with session.begin_nested():
            await session.execute(insert(Rating), [row])
    except IntegrityError:
        return False
    return True


@app.get("/shops/{shop_id}/average", dependencies=[Depends(authorize)])
async def get_average(shop_id: str) -> dict[str, str | float | None]:
    """Return the number of a shop's ratings of 180 days, and their averages."""
    names = ("description", "service", "logistics")
    averages = select(func.count(), *(func.avg(getattr(Rating, name)) for name in names)).where(
        Rating.shop_id == shop_id, Rating.time > datetime.now(UTC) - WINDOW
    )
    async with sessions() as session:
        count, *means = (await session.execute(averages)).one()
    return {"shop_id": shop_id, "ratings": count, **dict(zip(names, means, strict=True))}


@app.get("/readyz")
async def ready() -> None:
    """Answer that the service is ready."""
