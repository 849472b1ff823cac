"""What the contract says in words: of itself, its headers and its answers."""

from collections.abc import Mapping, Sequence

TITLE = "shopdsr"
SUMMARY = "Shop scores for storefront back-offices"
VERSION = "1"
DESCRIPTION = """\
Report what happened in shops as CloudEvents; read their scores: the detailed seller rating (DSR), \
the tier of their sales, and the sell-through of their listings. `/docs` shows this and can try it.

`HEAD` works wherever `GET` does. `X-Request-Id` is taken over from the request if it is sane. \
Every error is a problem document (RFC 9457), an unknown path (404) and a method that a path does \
not take (405, with `Allow`) included. What is wrong is told in this order: the key (401, 403), \
the head of the body (415, 413), unknown, repeated or missing query parameters (400), a shop that \
the key does not reach (404), the body (400, 413, 422), other parameters (400), what is not there \
(404), what stands in the way (409). Scores and rates are numbers; integers have no fraction \
(`5.0` is none); money is a decimal string with exactly the digits of its currency; days are \
`YYYY-MM-DD`; instants are RFC 3339, out in UTC. A missing value is null beside a `status` that \
says why.

Within version 1 fields, types, enum values and parameters may be added: ignore those you do not \
know. None are removed, renamed or tightened.\
"""

KEY = """\
An API key, sent as `Authorization: Bearer sdk_<id>_<secret>`. It belongs to a tenant, has scopes \
and may be confined to some shops; each operation names the scope it needs.\
"""

REQUEST_HEADERS: Mapping[str, tuple[str, Sequence[str]]] = {
    "Content-Encoding": (
        "How the body is compressed, empty for not at all; limits hold for the inflated size.",
        ["gzip", ""],
    ),
    "If-None-Match": ("The `ETag` of an answer that you have; 304 while it is good.", []),
    "Prefer": (
        "`handling=strict`: take all events or none. `return=minimal`: 204 in place of 200.",
        [],
    ),
}
"""Headers that a caller may send: what for, and the values known, none for any."""

RESPONSE_HEADERS: Mapping[str, str] = {
    "Accept-Post": "The media types taken here.",
    "Cache-Control": "`private, no-cache`: keep the answer, and ask with `If-None-Match`.",
    "ETag": "Weak; changes when anything changes that the answer depends on.",
    "Preference-Applied": "The preferences that were followed.",
    "RateLimit": (
        "Requests that the key has left in this process (`r`), where there is a limit; it has all "
        "of them again after `t` seconds. On every answer to a valid key."
    ),
    "RateLimit-Policy": "Requests a key has in a window of `w` seconds (`q`), in each process.",
    "Retry-After": "Seconds to wait before the same request is sent again.",
    "WWW-Authenticate": "`Bearer`.",
    "X-Request-Id": "The id of this request: the caller's if it was sane, else one of ours.",
}

ANSWERS: Mapping[int, str] = {
    200: "Done.",
    201: "Made new.",
    204: "Done; there is nothing to say.",
    207: "Some were refused, the rest is stored; see `rejected`.",
    304: "What you have is still good.",
}
"""What an answer's status says."""
