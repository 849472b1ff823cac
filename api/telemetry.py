"""Stamp, count, time and log every answer, in the one place that also sees 404, 405 and 500."""

from time import perf_counter
from typing import Any

import structlog
from litestar.types import Message, Scope

from api.metrics import Metrics
from api.stamp import request_id

METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE"})
OTHER_METHOD = "other"
UNMATCHED = "unmatched"

_log = structlog.get_logger()


async def observe(message: Message, scope: Scope) -> None:
    """Finish the head of an answer and record it; Litestar's `before_send` hook.

    Whatever a caller chooses makes no label and does not show in the log: all paths that match no
    route are one, so are methods that HTTP does not know.
    """
    if message["type"] != "http.response.start":
        return
    state: dict[str, Any] = scope["state"]
    identity = request_id(scope)
    headers = list(message["headers"])
    length = next((value for name, value in headers if name == b"content-length"), 0)
    stamps = [(b"x-request-id", identity.encode()), *state.get("rate_limit_headers", ())]
    message["headers"] = headers + stamps
    sent_method = str(scope.get("method"))
    method = sent_method if sent_method in METHODS else OTHER_METHOD
    route = scope.get("path_template", UNMATCHED)
    now_s = perf_counter()
    seconds = now_s - state.get("started_s", now_s)
    metrics: Metrics = scope["litestar_app"].state.metrics
    metrics.count_request(route, method, message["status"], seconds)
    key = scope.get("auth")
    _log.info(
        "request",
        method=method,
        route=route,
        status=message["status"],
        duration_ms=round(seconds * 1000, 3),
        bytes=int(length),
        request_id=identity,
        tenant_id=key and key.tenant_id,
        key_id=key and key.key_id,
    )
