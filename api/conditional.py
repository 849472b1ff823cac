"""Computed answers: entity tags and 304."""

from hashlib import blake2b
from typing import Any

from litestar import Request, Response

from api.wire import JSON, encode

_CACHE_CONTROL = "private, no-cache"


def computed(
    request: Request[Any, Any, Any], value: object, *, tagged: object = None
) -> Response[bytes]:
    """A computed answer, or 304 where the caller has it already.

    The tag is a digest of the answer itself, so it changes with anything that changes the answer,
    midnight included where the day asked about is today. `tagged` stands in for an answer that
    differs from one request to the next.
    """
    body = encode(value)
    digested = body if tagged is None else encode(tagged)
    tag = f'W/"{blake2b(digested, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": _CACHE_CONTROL}
    if _has(",".join(request.headers.getall("if-none-match", [])), tag):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)


def _has(if_none_match: str, tag: str) -> bool:
    # Weak comparison: a tag given as strong matches the same opaque part.
    opaque = tag.removeprefix("W/")
    given = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return "*" in given or opaque in given
