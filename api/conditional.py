"""Computed answers: entity tags and 304."""

from hashlib import sha256

from api.context import Call
from api.operations import Answer
from api.wire import JSON, encode

_CACHE_CONTROL = (b"cache-control", b"private, no-cache")


def computed(request: Call, value: object, *, tagged: object = None) -> Answer:
    """A computed answer, or 304 where the caller has it already.

    The tag is a digest of the answer itself, so it changes with anything that changes the answer,
    midnight included where the day asked about is today. `tagged` stands in for an answer that
    differs from one request to the next.
    """
    body = encode(value)
    digested = body if tagged is None else encode(tagged)
    tag = f'W/"{sha256(digested).hexdigest()[:24]}"'
    headers = [(b"etag", tag.encode()), _CACHE_CONTROL]
    known = request.header(b"if-none-match")
    if known and _has(known, tag):
        return Answer(304, headers=headers)
    return Answer(200, body, JSON, headers)


def _has(if_none_match: str, tag: str) -> bool:
    # Weak comparison: a tag given as strong matches the same opaque part.
    opaque = tag.removeprefix("W/")
    given = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return "*" in given or opaque in given
