"""Events in: `POST /v1/events`."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from urllib.parse import unquote

import msgspec
from msgspec import Meta

from api import bodies
from api.context import Call, Context, Limits
from api.decoding import Item, Unreadable, decode_all, decode_one
from api.operations import Answer, Lines, Operation, operation
from api.problems import Problem, bad_parameter
from api.wire import NoParameters, array_items, is_json, is_utf8, query, reply
from domain.errors import EventCode, FieldError
from domain.events import Event
from domain.recording import Outcome, Refused, Submission

BATCH = "application/cloudevents-batch+json"
SINGLE = "application/cloudevents+json"
JSON = "application/json"
NDJSON = "application/x-ndjson"
ACCEPTED = (BATCH, SINGLE, JSON, NDJSON)

REJECTED_LISTED_MAX = 1_000

_STRICT = re.compile(r'(?:^|,)\s*handling\s*=\s*"?strict"?\s*(?:;|,|$)', re.IGNORECASE)

EVENT_BYTES_MIN = 128
"""No event is smaller, so a stream of more lines than fit its size has mostly none in them."""

EVENTS_A_TURN = 200

CHUNK_BYTES_MIN = 1024 * 1024
"""A chunk of a stream ends after so many bytes, however few events are in it."""

_BLANK_LINES = re.compile(rb"\n[ \t\r\n]*\n")


class Rejected(msgspec.Struct, frozen=True):
    """One event that was not taken; `index` is its place among the events sent."""

    index: int
    id: str | None
    code: EventCode
    errors: list[FieldError]


class Received(msgspec.Struct, frozen=True):
    """What became of the events sent; `rejected` rises by index and lists at most 1,000."""

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
                        self.rejected.append(Rejected(index, item.id, outcome.code, outcome.errors))
        self.stored += stored
        self.duplicates += duplicates
        self.received += len(outcomes)

    def received_all(self) -> Received:
        """What became of all items so far."""
        return Received(
            self.received, self.stored, self.duplicates, self.rejected_count, self.rejected
        )


def _answer(received: Received, *, strict: bool) -> Answer:
    """200, 207 or a 422 problem; strict refuses all events for the sake of one."""
    refused = received.rejected_count
    if strict and refused:
        received = Received(received.received, 0, 0, received.received, received.rejected)
    if refused and received.rejected_count == received.received:
        raise Problem(
            "all_refused",
            "No event was stored",
            headers={"Preference-Applied": "handling=strict"} if strict else {},
            members=msgspec.structs.asdict(received),
        )
    headers = [(b"preference-applied", b"handling=strict")] if strict else []
    return reply(received, 207 if refused else 200, headers)


@operation(
    "POST",
    "/v1/events",
    Operation(
        name="postEvents",
        summary="Report what happened in shops",
        scope="events:write",
        query=NoParameters,
        bodies={
            BATCH: list[Event],
            SINGLE: Event,
            JSON: Event | list[Event],
            NDJSON: Lines(Event),
        },
        answers={200: Received, 207: Received},
        problems=("all_refused",),
        headers=("Prefer", "Content-Encoding"),
    ),
)
async def post_events(request: Call) -> Answer:
    """Record CloudEvents 1.0, which may be of many shops and types.

    A 2xx answer means that they are durable, and that every read that starts later sees them. The
    same fact again is a duplicate whatever its `id`, so resending is safe; the order of arrival
    does not matter. One event that is refused keeps no other back, unless all or nothing is asked
    for.

    With `application/json`, `ce-*` headers can carry the attributes of one event, percent-encoded;
    the body is then its `data` alone. A body may be compressed with gzip. By default an array has
    at most 5,000 events and 8 MiB, one event or line 64 KiB, a stream of lines 256 MiB; more is
    `content_too_large`, for a line `too_large` among the rejected. Lines are stored in chunks as
    they come in: after a fault send all of them again.
    """
    media_type = bodies.media_type(request, ACCEPTED)
    strict = bool(_STRICT.search(request.header(b"prefer")))
    ctx = request.context
    tally = Tally()
    if media_type == NDJSON:
        query(request, NoParameters)
        if strict:
            raise Problem("bad_request", "`Prefer: handling=strict` does not go with NDJSON")
        await _record_lines(request, ctx, tally)
    else:
        items = await _read(request, ctx, media_type)
        query(request, NoParameters)
        await _record(request, ctx, items, tally, strict=strict)
    return _answer(tally.received_all(), strict=strict)


async def _record_lines(request: Call, ctx: Context, tally: Tally) -> None:
    events_max = ctx.limits.stream_bytes_max // EVENT_BYTES_MIN
    with ctx.room.share() as share:
        parts = share.holding(bodies.chunks(bodies.Sender(request), ctx.limits.stream_bytes_max))
        async for items in read_lines(parts, ctx.limits):
            if items:
                await _record(request, ctx, items, tally)
            share.give_back()
            if tally.received > events_max:
                raise Problem("content_too_large", f"Expected at most {events_max} events")


async def _record(
    request: Call, ctx: Context, items: Sequence[Item], tally: Tally, *, strict: bool = False
) -> None:
    key = request.auth
    submission = Submission(
        tenant_id=key.tenant_id,
        shop_ids=None if key.shop_ids is None else frozenset(key.shop_ids),
        events=items,
        strict=strict,
    )
    outcomes = await ctx.ledger.record(submission, ctx.clock())
    tally.add(items, outcomes)


async def _read(request: Call, ctx: Context, media_type: str) -> Sequence[Item]:
    limits = ctx.limits
    bytes_max = limits.event_bytes_max if media_type == SINGLE else limits.batch_bytes_max
    body = await bodies.read(request, bytes_max)
    if media_type == JSON and any(name.startswith(b"ce-") for name in request.headers):
        body = _binary(request, body)
    is_array = body.lstrip(b" \t\r\n").startswith(b"[")
    if media_type == (SINGLE if is_array else BATCH):
        expected = "one event" if media_type == SINGLE else "an array of events"
        raise Problem("bad_request", f"`{media_type}` carries {expected}")
    if is_array:
        return await _batch(body, limits.batch_events_max)
    if len(body) > limits.event_bytes_max:
        raise Problem(
            "content_too_large", f"Expected at most {limits.event_bytes_max} bytes in one event"
        )
    item = decode_one(body) if is_utf8(body) else None
    if item is None or (isinstance(item, Unreadable) and not is_json(body)):
        raise Problem("bad_request", "The body is not valid JSON")
    return [item]


async def _batch(body: bytes, events_max: int) -> Sequence[Item]:
    """The events of an array, some at a time, so that others get their turn in between."""
    if not is_utf8(body):
        raise Problem("bad_request", "The body is not UTF-8")
    raws = array_items(body, events_max, "events")
    found: list[Item] = []
    for start in range(0, len(raws), EVENTS_A_TURN):
        if start:
            await asyncio.sleep(0)
        some = raws[start : start + EVENTS_A_TURN]
        found += decode_all(b"[" + b",".join(some) + b"]") or map(decode_one, some)
    return found


async def read_lines(parts: AsyncIterator[bytes], limits: Limits) -> AsyncIterator[list[Item]]:
    """Events of NDJSON, a chunk at a time: one a line, blank lines skipped.

    A line over its limit is dropped as it comes in, and a chunk ends after some bytes too, so
    memory stays bounded. The chunk of many bytes without an event is empty.
    """
    items: list[Item] = []
    taken_bytes = 0
    line = bytearray()
    too_long = False
    async for part in parts:
        *ended, rest = _BLANK_LINES.sub(b"\n", part).split(b"\n")
        for piece in ended:
            line += piece
            items.extend(_line(line, limits.event_bytes_max, too_long=too_long))
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
        error = FieldError("", f"Expected at most {bytes_max} bytes in a line")
        return [Unreadable("too_large", [error])]
    if not line.strip():
        return []
    return [decode_one(bytes(line)) if is_utf8(line) else Unreadable("malformed")]


def _binary(request: Call, body: bytes) -> bytes:
    """The event whose attributes are `ce-*` headers and whose data is the body."""
    if not is_json(body):
        raise Problem("bad_request", "The body is not valid JSON")
    event: dict[str, object] = {}
    for raw, value in request.headers.items():
        if raw.startswith(b"ce-"):
            name = raw.decode("latin-1")
            try:
                event[name.removeprefix("ce-")] = unquote(value.decode("latin-1"), errors="strict")
            except UnicodeDecodeError:
                raise bad_parameter(name, "Expected UTF-8, percent-encoded") from None
    return msgspec.json.encode(event | {"data": msgspec.Raw(body)})
