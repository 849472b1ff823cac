"""Events in: `POST /v1/events`."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from litestar import Response, Router, post
from msgspec import Meta

from api import bodies
from api.conditional import JSONResponse
from api.decoding import Item, Unreadable, decode_all, decode_line, decode_one
from api.exceptions import problem_of
from api.memory_budget import Reservation
from api.operations import JSON, operation
from api.ports import Limits
from api.problems import Problem, bad_parameter
from api.request import ApiRequest
from api.strict_json import TURN_BYTES, array_parts, is_json, is_json_array, is_utf8, not_json
from domain.errors import ERRORS_MAX, EventCode, FieldError, Unavailable
from domain.recording import Outcome, Refused, Submission

BATCH = "application/cloudevents-batch+json"
SINGLE = "application/cloudevents+json"
NDJSON = "application/x-ndjson"

REJECTED_LISTED_MAX = 1_000

_STRICT, _MINIMAL = (
    re.compile(rf'(?:^|,)\s*{name}\s*=\s*"?{value}"?\s*(?:;|,|$)', re.IGNORECASE)
    for name, value in (("handling", "strict"), ("return", "minimal"))
)

EVENT_BYTES_MIN = 128
"""No event is smaller, so a stream of more lines than fit its size has mostly none in them."""

WHOLE_BYTES_MAX = 512 * 1024
"""Events of so many bytes are decoded at once, in a few milliseconds."""

CHUNK_BYTES_MIN = 1024 * 1024
"""A chunk of a stream ends after so many bytes, however few events are in it."""

_BLANK_LINES = re.compile(rb"\n[ \t\r\n]*\n")


class Rejected(msgspec.Struct, frozen=True):
    """An event that was not stored; `index` is its place among the events sent."""

    index: int
    id: str | None
    code: EventCode
    errors: Annotated[list[FieldError], Meta(max_length=ERRORS_MAX)]


class Received(msgspec.Struct, frozen=True):
    """Outcomes of the events sent; `rejected` rises by index and lists at most 1,000."""

    received: int
    stored: int
    duplicates: int
    rejected_count: int
    rejected: Annotated[list[Rejected], Meta(max_length=REJECTED_LISTED_MAX)]


class Tally:
    """Counts outcomes over the chunks of one request."""

    def __init__(self) -> None:
        self.received = self.stored = self.duplicates = self.rejected_count = 0
        self.rejected: list[Rejected] = []

    def add(self, items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
        """Count the outcomes of the next items."""
        stored, duplicates = outcomes.count("stored"), outcomes.count("duplicate")
        if stored + duplicates < len(outcomes):
            for index, (item, outcome) in enumerate(
                zip(items, outcomes, strict=True), self.received
            ):
                if isinstance(outcome, Refused):
                    self.rejected_count += 1
                    if len(self.rejected) < REJECTED_LISTED_MAX:
                        errors = outcome.errors[:ERRORS_MAX]
                        self.rejected.append(Rejected(index, item.id, outcome.code, errors))
        self.stored += stored
        self.duplicates += duplicates
        self.received += len(outcomes)

    def received_all(self) -> Received:
        """Return what became of all items so far."""
        return Received(
            self.received, self.stored, self.duplicates, self.rejected_count, self.rejected
        )


def _answer(received: Received, *, strict: bool, minimal: bool) -> Response[Any]:
    """Return 200, 204 or 207, or raise 422; strict refuses all events for one."""
    refused = received.rejected_count
    applied = ["handling=strict"] * strict + ["return=minimal"] * (minimal and not refused)
    if strict and refused:
        received = Received(received.received, 0, 0, received.received, received.rejected)
    headers = {"Preference-Applied": ", ".join(applied)} if applied else {}
    if refused and received.rejected_count == received.received:
        members = msgspec.structs.asdict(received)
        raise Problem("all_refused", "No event was stored", headers=headers, members=members)
    if minimal and not refused:
        return Response(None, status_code=204, headers=headers)
    return JSONResponse(received, status_code=207 if refused else 200, headers=headers)


@post(
    "/events",
    summary="Report what happened in shops",
    **operation(
        "events:write",
        bodies={
            BATCH: "batch_bytes_max",
            SINGLE: "event_bytes_max",
            JSON: "batch_bytes_max",
            NDJSON: "stream_bytes_max",
        },
        headers=("Prefer", "Content-Encoding"),
        statuses=(200, 204, 207),
        problems=("all_refused",),
    ),
)
async def post_events(request: ApiRequest) -> Response[Received]:
    """Record CloudEvents 1.0, which may be of many shops and types.

    A 2xx answer means that they are durable, and that every read that starts later sees them. The
    same fact again is a duplicate whatever its `id`, so resending is safe; the order of arrival
    does not matter. One event that is refused keeps no other back, unless all or nothing is asked
    for.

    `ce-*` headers can carry the attributes of one event, percent-encoded; the body is then its
    `data` alone, as `application/json`, any `application/*+json`, or without a media type.
    `data_base64` may stand in place of `data`. `Prefer: return=minimal` gives 204 in place of 200.
    `OPTIONS` answers the handshake of CloudEvents webhooks. A body may be compressed with gzip.

    By default an array has at most 5,000 events and 8 MiB, one event or line 512 KiB, a stream of
    lines 256 MiB; more is `content_too_large`, for a line or an event of an array `too_large` among
    the rejected. Lines are stored in chunks as they come in; a problem then has the members of an
    answer too, which tell what became of the lines before it. Send all of them again.
    """
    prefer = request.header("prefer")
    strict, minimal = bool(_STRICT.search(prefer)), bool(_MINIMAL.search(prefer))
    tally = Tally()
    if request.media_type == NDJSON:
        if strict:
            raise Problem("bad_request", "`Prefer: handling=strict` does not go with NDJSON")
        try:
            await _record_lines(request, tally)
        except (Problem, Unavailable) as error:
            problem = problem_of(error)
            problem.members |= msgspec.structs.asdict(tally.received_all())
            raise problem from None
    else:
        with request.reservation() as reservation:
            items = await _read(request, reservation)
            await _record(request, items, tally, strict=strict)
    return _answer(tally.received_all(), strict=strict, minimal=minimal)


async def _record_lines(request: ApiRequest, tally: Tally) -> None:
    limits = request.ports.limits
    events_max = limits.stream_bytes_max // EVENT_BYTES_MIN
    with request.reservation() as reservation:
        parts = bodies.chunks(request.body_reader(), limits.stream_bytes_max)
        async for items in read_lines(reservation.reserving(parts), limits):
            if items:
                await request.check_key()
                await _record(request, items, tally)
            reservation.release()
            if tally.received > events_max:
                raise Problem("content_too_large", f"Expected at most {events_max} events")


async def _record(
    request: ApiRequest, items: Sequence[Item], tally: Tally, *, strict: bool = False
) -> None:
    key = request.auth
    submission = Submission(
        tenant_id=key.tenant_id,
        shop_ids=None if key.shop_ids is None else frozenset(key.shop_ids),
        events=items,
        strict=strict,
    )
    outcomes = await request.ports.ledger.record(submission, request.ports.clock())
    tally.add(items, outcomes)
    request.metrics.count_events(items, outcomes)


async def _read(request: ApiRequest, reservation: Reservation) -> Sequence[Item]:
    limits = request.ports.limits
    media_type = request.media_type
    body = await request.read_body(reservation)
    if media_type == JSON and (attributes := request.ce_headers):
        body = _binary(request, attributes, body)
    if body.isspace():
        raise bodies.EmptyBody
    is_array = is_json_array(body)
    if is_array and media_type == SINGLE:
        raise Problem("bad_request", f"`{SINGLE}` carries one event")
    if is_array:
        return await _batch(body, limits)
    if len(body) > limits.event_bytes_max:
        raise Problem(
            "content_too_large", f"Expected at most {limits.event_bytes_max} bytes in one event"
        )
    item = decode_one(body) if is_utf8(body) else None
    if item is None or (isinstance(item, Unreadable) and not is_json(body)):
        raise not_json()
    return [item]


async def _batch(body: bytes | bytearray, limits: Limits) -> Sequence[Item]:
    """Decode an array in parts, item by item where one is no event."""
    if not is_utf8(body):
        raise Problem("bad_request", "The body is not UTF-8")
    events_max, event_bytes_max = limits.batch_events_max, limits.event_bytes_max
    is_short = len(body) <= min(WHOLE_BYTES_MAX, event_bytes_max)
    events = decode_all(body) if is_short else None
    if events is not None and len(events) <= events_max:
        return events
    items: list[Item] = []
    async for part in array_parts(body, events_max, "events"):
        if len(part[0]) > event_bytes_max:
            items.append(_too_large(event_bytes_max, "an event"))
        elif events := decode_all(b"[%b]" % b",".join(part)):
            items += events
        else:
            for raw in part:
                items.append(decode_one(raw))
                # To tell what is wrong takes long.
                await asyncio.sleep(0)
    return items


async def read_lines(parts: AsyncIterator[bytes], limits: Limits) -> AsyncIterator[list[Item]]:
    """Yield events of NDJSON, a chunk at a time: one a line, blank lines skipped.

    A line over its limit is dropped as it comes in, and a chunk ends after some bytes too, so
    memory stays bounded. The chunk of many bytes without an event is empty.
    """
    items: list[Item] = []
    taken_bytes = turn_bytes = 0
    line = bytearray()
    too_long = False
    async for part in parts:
        *ended, rest = _BLANK_LINES.sub(b"\n", part).split(b"\n")
        for piece in ended:
            line += piece
            turn_bytes += len(line)
            if turn_bytes > TURN_BYTES:
                await asyncio.sleep(0)
                turn_bytes = len(line)
            items.extend(_line(line, limits.event_bytes_max, too_long=too_long))
            if items and isinstance(items[-1], Unreadable):
                await asyncio.sleep(0)
            line.clear()
            too_long = False
            if len(items) >= limits.stream_chunk_events:
                yield items
                items = []
        line += rest
        if too_long or len(line) > limits.event_bytes_max:
            too_long = True
            line.clear()
        taken_bytes += len(part)
        if taken_bytes >= CHUNK_BYTES_MIN:
            yield items
            items, taken_bytes = [], 0
    items.extend(_line(line, limits.event_bytes_max, too_long=too_long))
    if items:
        yield items


def _line(line: bytearray, bytes_max: int, *, too_long: bool) -> list[Item]:
    if too_long or len(line) > bytes_max:
        return [_too_large(bytes_max, "a line")]
    if not line.strip():
        return []
    return [decode_line(bytes(line))]


def _too_large(bytes_max: int, what: str) -> Unreadable:
    return Unreadable(
        "too_large", [FieldError("", f"Expected at most {bytes_max} bytes in {what}")]
    )


def _binary(request: ApiRequest, attributes: Iterable[str], body: bytes | bytearray) -> bytes:
    """Return the event whose attributes are `ce-*` headers and whose data is the body."""
    if not is_json(body):
        raise not_json()
    event: dict[str, object] = {}
    for name in attributes:
        try:
            event[name.removeprefix("ce-")] = unquote(request.header(name), errors="strict")
        except UnicodeDecodeError:
            raise bad_parameter(name, "Expected UTF-8, percent-encoded") from None
    return msgspec.json.encode(event | {"data": msgspec.Raw(body)})


def handshake(request: ApiRequest) -> dict[str, str]:
    """Return the headers by which a CloudEvents webhook learns that it may deliver here."""
    rate = request.ports.limits.requests_per_s
    return {
        "WebHook-Allowed-Origin": request.header("webhook-request-origin"),
        "WebHook-Allowed-Rate": str(rate * 60) if rate else "*",
    }


router = Router("/", tags=["events"], route_handlers=[post_events])
