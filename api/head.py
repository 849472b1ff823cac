"""Heads of requests, of which the server and Litestar take more than the RFCs allow.

To Litestar `//metrics/` is `/metrics`, and the server hands it `%2F` decoded: a proxy that hides or
limits a path by its text would be passed by.
"""

from litestar.types import Scope

from api.problems import Problem

_WITHOUT_HOST = ("1.0", "1")
"""The version of HTTP that needs no `Host`, as ASGI and as Granian writes it."""


def head_problem(scope: Scope) -> Problem | None:
    """Return what is wrong with host, transfer coding or path of a request.

    A path has no empty segment and no encoded slash, and does not end in a slash.
    """
    headers = scope["headers"]
    hosts = [value for name, value in headers if name == b"host"]
    # Granian makes an absent host an empty one.
    if hosts in ([], [b""]) and scope.get("http_version") in _WITHOUT_HOST:
        hosts = [b"any"]
    if len(hosts) != 1 or not hosts[0]:
        return Problem("bad_request", "Expected one `Host` header")
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if codings not in ([], [b"chunked"]):
        return Problem("bad_request", "Expected no transfer coding but `chunked`")
    # Litestar has made `path` plain by now.
    path = scope["raw_path"].partition(b"?")[0].lower()
    if b"//" in path or (path.endswith(b"/") and path != b"/") or b"%2f" in path:
        return Problem("not_found", "There is no such path")
    return None
