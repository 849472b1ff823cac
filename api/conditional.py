"""Answers as JSON, those to GET with a weak entity tag.

Litestar sends a tag that a handler knows beforehand; this one is made of the encoded answer.
"""

from hashlib import sha256
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.response.base import ASGIResponse

from api.request import ApiRequest

_CACHE_CONTROL = "private, no-cache"

_encoder = msgspec.json.Encoder()


class JSONResponse(Response[Any]):
    """Encodes its content once; answers GET with an entity tag, or with 304 where it is known.

    The tag is a digest of the answer itself, so it changes with anything that changes the answer,
    midnight included where the day of the answer is today. `tagged` stands in for an answer that
    differs from one request to the next.
    """

    tagged: object = None

    def to_asgi_response(
        self,
        app: Litestar | None,  # noqa: ARG002 - Litestar passes it still
        request: Request[Any, Any, Any],
        *,
        status_code: int | None = None,
        **_: Any,
    ) -> ASGIResponse:
        """Encode the content; see `litestar.Response`."""
        assert isinstance(request, ApiRequest)
        status_code = self.status_code or status_code
        headers = self.headers
        if self.content is None:
            return ASGIResponse(headers=headers, status_code=status_code)
        body = _encoder.encode(self.content)
        if request.method in ("GET", "HEAD"):
            digested = body if self.tagged is None else _encoder.encode(self.tagged)
            tag = f'W/"{sha256(digested).hexdigest()[:24]}"'
            headers = {"etag": tag, "cache-control": _CACHE_CONTROL, **headers}
            if _has(request.header("if-none-match"), tag):
                return ASGIResponse(headers=headers, status_code=304)
        return ASGIResponse(body=body, headers=headers, status_code=status_code)


def _has(if_none_match: str, tag: str) -> bool:
    # Weak comparison: a tag given as strong matches the same opaque part.
    opaque = tag.removeprefix("W/")
    given = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return "*" in given or opaque in given
