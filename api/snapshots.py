"""Peer snapshots: taken on request, and listed."""

from datetime import UTC, date, datetime

import msgspec
from msgspec import UNSET, UnsetType

from api import bodies
from api.conditional import computed
from api.context import Call, act
from api.operations import Answer, Operation, operation
from api.pages import Paged, next_cursor, resume
from api.problems import ErrorDetail, Problem
from api.wire import JSON, NoParameters, decode, query, reply
from domain.days import FIRST_DAY, ONE_DAY
from domain.ports import SnapshotHeader


class SnapshotDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The date of a snapshot to take; by default yesterday in UTC."""

    as_of: date | UnsetType = UNSET


class SnapshotsQuery(Paged, frozen=True, kw_only=True):
    """Paging of the list of snapshots."""


class SnapshotsPage(msgspec.Struct, frozen=True):
    """One page of snapshots, newest first."""

    items: list[SnapshotHeader]
    next_cursor: str | None


@operation(
    "POST",
    "/v1/peer-snapshots",
    Operation(
        name="postPeerSnapshot",
        summary="Take a peer snapshot",
        scope="admin",
        query=NoParameters,
        bodies={JSON: SnapshotDraft},
        body_required=False,
        answers={201: SnapshotHeader},
        problems=("invalid",),
    ),
)
async def post_snapshot(request: Call) -> Answer:
    """Compare every shop of the tenant with its peers; an earlier one of the date is replaced."""
    ctx = request.context
    body = await bodies.read_optional(request, (JSON,), ctx.limits.event_bytes_max)
    query(request, NoParameters)
    draft = decode(body, SnapshotDraft) if body else SnapshotDraft()
    now = ctx.clock()
    as_of = yesterday(now) if draft.as_of is UNSET else draft.as_of
    if not FIRST_DAY <= as_of <= now.astimezone(UTC).date():
        detail = f"Expected a day from {FIRST_DAY} to today in UTC"
        raise Problem(
            "bad_request",
            "`as_of` is out of range",
            errors=[ErrorDetail(detail=detail, pointer="/as_of")],
        )
    taken = await ctx.peers.take(act(request), as_of)
    return reply(taken, 201)


@operation(
    "GET",
    "/v1/peer-snapshots",
    Operation(
        name="listPeerSnapshots",
        summary="Peer snapshots, newest first",
        scope="scores:read",
        query=SnapshotsQuery,
        answers={200: SnapshotsPage},
    ),
)
async def list_snapshots(request: Call) -> Answer:
    """When the tenant's shops were compared."""
    asked, after = resume(query(request, SnapshotsQuery), tuple[date])
    found = await request.context.peers.page(
        request.auth.tenant_id, after[0] if after else None, asked.limit + 1
    )
    items = found[: asked.limit]
    more = len(found) > len(items)
    return computed(
        request, SnapshotsPage(items, next_cursor(asked, (items[-1].as_of,)) if more else None)
    )


def yesterday(now: datetime) -> date:
    """The day before today in UTC."""
    return now.astimezone(UTC).date() - ONE_DAY
