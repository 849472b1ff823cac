"""Peer snapshots: taken on request, and listed."""

from datetime import UTC, date, datetime

import msgspec
from litestar import Router, post
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from api.operations import SMALL_JSON, get, operation
from api.pages import cut_page, resume
from api.parameters import LIMIT_DEFAULT, Cursor, Limit
from api.problems import ErrorDetail, Problem
from api.request import ApiRequest
from domain.days import FIRST_DAY, ONE_DAY
from domain.ports import SnapshotHeader


class SnapshotDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The date of a snapshot to take; by default yesterday in UTC."""

    as_of: date | UnsetType = UNSET


YESTERDAY = SnapshotDraft()


class SnapshotsFilters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All snapshots: there is no filter."""


class SnapshotsPage(msgspec.Struct, frozen=True):
    """One page of snapshots, newest first."""

    items: list[SnapshotHeader]
    next_cursor: str | None


@post(
    "/peer-snapshots",
    summary="Take a peer snapshot",
    **operation(
        "admin", tenant_wide=True, bodies=SMALL_JSON, body_required=False, problems=("invalid",)
    ),
)
async def post_peer_snapshot(
    request: ApiRequest, data: JSONBody[SnapshotDraft] = YESTERDAY
) -> SnapshotHeader:
    """Compare every shop with its peers, in place of the date's earlier snapshot."""
    now = request.ports.clock()
    as_of = yesterday(now) if data.as_of is UNSET else data.as_of
    if not FIRST_DAY <= as_of <= now.astimezone(UTC).date():
        detail = f"Expected a day from {FIRST_DAY} to today in UTC"
        raise Problem(
            "bad_request",
            "`as_of` is out of range",
            errors=[ErrorDetail(detail=detail, pointer="/as_of")],
        )
    return await request.ports.peers.take_snapshot(request.act, as_of)


@get("/peer-snapshots", summary="Peer snapshots, newest first", **operation("scores:read"))
async def list_peer_snapshots(
    request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> SnapshotsPage:
    """Return when the tenant's shops were compared."""
    filters, after = resume(cursor, SnapshotsFilters(), tuple[date])
    snapshots = await request.ports.peers.page(
        request.auth.tenant_id, after[0] if after else None, limit + 1
    )
    return SnapshotsPage(*cut_page(snapshots, limit, filters, lambda taken: (taken.as_of,)))


def yesterday(now: datetime) -> date:
    """Return the day before today in UTC."""
    return now.astimezone(UTC).date() - ONE_DAY


router = Router("/", tags=["snapshots"], route_handlers=[post_peer_snapshot, list_peer_snapshots])
