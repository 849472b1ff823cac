"""Kinds of problems (RFC 9457): the one place that knows their status codes."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.errors import ERRORS_MAX

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1


class ErrorDetail(msgspec.Struct, frozen=True):
    """One thing that is wrong: where in the body or in which parameter, and what would be right."""

    detail: str
    pointer: str | UnsetType = UNSET
    parameter: str | UnsetType = UNSET


class Document(msgspec.Struct, frozen=True):
    """What went wrong with a request; `type` is a page of this service about its `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: Annotated[list[ErrorDetail], Meta(max_length=ERRORS_MAX)]


class Kind(msgspec.Struct, frozen=True):
    """A kind of problem: what its `type` page says."""

    status: int
    title: str
    meaning: str


KINDS: Mapping[str, Kind] = {
    "bad_request": Kind(
        400, "The request cannot be read", "The body, a header or its framing cannot be decoded."
    ),
    "bad_parameter": Kind(
        400,
        "A parameter is not valid",
        "A path, query or header parameter is unknown or out of bounds; `errors` names it.",
    ),
    "unauthorized": Kind(
        401,
        "A valid API key is needed",
        "Send `Authorization: Bearer sdk_…` with a key that is neither revoked nor expired.",
    ),
    "forbidden": Kind(
        403,
        "The API key may not do this",
        "The key lacks the scope that this needs, is confined to some shops where this concerns "
        "all of them, or would grant what it does not have.",
    ),
    "not_found": Kind(404, "Not found", "Nothing of this name is there for this API key."),
    "method_not_allowed": Kind(
        405, "The method is not allowed", "The path exists; `Allow` lists its methods."
    ),
    "immutable": Kind(
        409,
        "This cannot be changed any more",
        "The currency and the time zone of a shop with events stay as they are.",
    ),
    "built_in": Kind(409, "Built-in rules are read-only", "Store your own set under a new name."),
    "too_many": Kind(
        409,
        "There are as many as a tenant may have",
        "Change or remove one of those that are there; whoever runs this service sets the number.",
    ),
    "content_too_large": Kind(
        413, "The body is too large", "Limits hold for the inflated body; send it in parts."
    ),
    "unsupported_media_type": Kind(
        415, "The media type is not supported", "`Accept-Post` lists the media types taken here."
    ),
    "invalid": Kind(
        422, "The body does not fit", "The body was read; `errors` says what does not fit, where."
    ),
    "unknown_rules": Kind(
        422, "There are no such rules", "Name a built-in set of rules or one of your own."
    ),
    "all_refused": Kind(
        422,
        "Nothing was stored",
        "Every item was refused, or one was and all or nothing was asked for; see `rejected`.",
    ),
    "rate_limited": Kind(
        429,
        "Too many requests with this API key",
        "Nothing was done. Send the same request again after `Retry-After`.",
    ),
    "internal": Kind(500, "Something broke here", "A fault of this service; it has been logged."),
    "unavailable": Kind(
        503,
        "Not available just now",
        "Storage cannot serve at the moment. Send the same request again after `Retry-After`.",
    ),
}


class Problem(Exception):
    """A refusal that arises on the wire; `members` are added to the document."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[ErrorDetail] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail
        self.errors = list(errors)[:ERRORS_MAX]
        self.headers = dict(headers or {})
        self.members = dict(members or {})


def bad_parameter(name: str, detail: str) -> Problem:
    """Return the problem of a query, path or header parameter that is not valid."""
    return Problem(
        "bad_parameter",
        f"`{name}` is not valid",
        errors=[ErrorDetail(detail=detail, parameter=name)],
    )


def bad_pointer(code: str, pointer: str, detail: str) -> Problem:
    """Return the problem of a place in the body that does not fit."""
    return Problem(code, detail, errors=[ErrorDetail(detail=detail, pointer=pointer)])
