"""The audit trail of a tenant: who changed what, and when."""

from datetime import UTC, date, datetime, time
from typing import Annotated

import msgspec
from litestar import Router
from msgspec import Meta

from api.operations import get, operation
from api.pages import cut_page, resume
from api.parameters import LIMIT_DEFAULT, Cursor, Limit, OptionalEnd, OptionalStart
from api.problems import bad_parameter
from api.request import ApiRequest
from api.shops import SHOPS_MAX
from domain.days import ONE_DAY
from domain.events import Instant

ENTRIES_ON_PAGE_MAX = 50
"""An entry may name 1,000 shops."""

EntryNumber = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class AuditFilters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of the audit trail: days in UTC."""

    start: date | None = None
    end: date | None = None


class AuditEntry(msgspec.Struct, frozen=True):
    """An administrative act: `who` is the id of a key or the command line.

    `what` is the name of the operation or of the command, `on` names what it changed.
    """

    at: Instant
    who: str
    what: str
    on: Annotated[list[str], Meta(max_length=SHOPS_MAX)]


class AuditPage(msgspec.Struct, frozen=True):
    """One page of the audit trail, newest first."""

    items: list[AuditEntry]
    next_cursor: str | None


@get("/audit", summary="The audit trail, newest first", **operation("admin", tenant_wide=True))
async def list_audit_entries(
    request: ApiRequest,
    start: OptionalStart = None,
    end: OptionalEnd = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> AuditPage:
    """Return administrative acts on the tenant, of the days from `start` to `end` in UTC.

    At most 50 are on a page, however many are allowed.
    """
    filters, after = resume(cursor, AuditFilters(start, end), tuple[Instant, EntryNumber])
    if filters.start and filters.end and filters.start > filters.end:
        raise bad_parameter("end", "Expected a day not before `start`")
    limit = min(limit, ENTRIES_ON_PAGE_MAX)
    entries = await request.ports.audit_trail.page(
        request.auth.tenant_id,
        limit + 1,
        start=_midnight(filters.start),
        end=_midnight(_next(filters.end)),
        after=after,
    )
    items, following = cut_page(entries, limit, filters, lambda entry: (entry.at, entry.number))
    return AuditPage(
        items=[AuditEntry(entry.at, entry.who, entry.what, entry.on) for entry in items],
        next_cursor=following,
    )


def _next(day: date | None) -> date | None:
    return day + ONE_DAY if day is not None and day < date.max else None


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


router = Router("/", tags=["audit"], route_handlers=[list_audit_entries])
