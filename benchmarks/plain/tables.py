"""Tables of the plain service."""

# The packages of this file are in the lock of the benchmarks alone.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator"

from datetime import datetime

from sqlalchemy import DateTime, Index, MetaData, SmallInteger
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "plain"


class Tables(DeclarativeBase):
    """Every table, in a schema of their own."""

    metadata = MetaData(schema=SCHEMA)


class Rating(Tables):
    """One rating of one order."""

    __tablename__ = "ratings"
    __table_args__ = (Index("ratings_shop_time_idx", "shop_id", "time"),)

    shop_id: Mapped[str] = mapped_column(primary_key=True)
    review_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    buyer_id: Mapped[str]
    listing_id: Mapped[str | None]
    time: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    description: Mapped[int | None] = mapped_column(SmallInteger)
    service: Mapped[int | None] = mapped_column(SmallInteger)
    logistics: Mapped[int | None] = mapped_column(SmallInteger)
    comment: Mapped[str | None]
