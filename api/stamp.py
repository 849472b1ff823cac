"""The id and the start of a request, in its ASGI scope, where errors of routing find them too."""

import re
from random import getrandbits
from time import perf_counter
from typing import Any

from litestar.types import Scope

_SANE_ID = re.compile(rb"[!-~]{1,128}")


def request_id(scope: Scope) -> str:
    """Return the id of a request: the caller's if sane, else one of ours."""
    state: dict[str, Any] = scope["state"]
    if "request_id" not in state:
        given = b", ".join(v for name, v in scope["headers"] if name == b"x-request-id")
        # One of ours is no secret, and seeded anew in each process.
        is_sane = _SANE_ID.fullmatch(given)
        state["request_id"] = given.decode() if is_sane else f"{getrandbits(128):032x}"
    identity: str = state["request_id"]
    return identity


def start(scope: Scope) -> None:
    """Take note of when a request was routed."""
    scope["state"]["started_s"] = perf_counter()
