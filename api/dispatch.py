"""From a request to its handler and back: the one way in, for every operation."""

import re
from collections.abc import Iterable

from litestar.types import HTTPScope, Receive, Send

from api.auth import authenticate
from api.context import Call, Context
from api.operations import Answer, Endpoint
from api.problems import Problem, refusal

_HOST = re.compile(r"[A-Za-z0-9._~:@%!$&'()*+,;=\[\]-]*\Z")
"""What a `Host` may be; the server gives a request without one an empty one."""


class _Place:
    """A place in the tree of paths; what follows a parameter stands under None."""

    def __init__(self) -> None:
        self.below: dict[str | None, _Place] = {}
        self.methods: dict[str, Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Serve an operation at its path."""
        place = self
        for part in endpoint.path.strip("/").split("/"):
            place = place.below.setdefault(None if part.startswith("{") else part, _Place())
        place.methods[endpoint.method] = endpoint
        if endpoint.method == "GET":
            place.methods["HEAD"] = endpoint

    def find(self, path: str) -> tuple["_Place", list[str]]:
        """The place of a path with the values of its parameters; raises Problem `not_found`."""
        place = self
        values: list[str] = []
        for part in filter(None, path.split("/")):
            following = place.below.get(part)
            if following is None:
                following = place.below.get(None, _NOWHERE)
                values.append(part)
            place = following
        if not place.methods:
            raise Problem("not_found", "There is no such path")
        return place, values


_NOWHERE = _Place()


class Dispatch:
    """Serves operations; `context` is to be put in place before the first request."""

    context: Context

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._root = _Place()
        for endpoint in endpoints:
            self._root.add(endpoint)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method: str = scope["method"]
        call = Call(scope, receive, self.context)
        try:
            answer = await self._answer(call, method, scope["path"])
        except Exception as error:  # noqa: BLE001 - each has its answer
            answer = refusal(call.request_id, error)
        headers = [*call.answer_headers, *answer.headers]
        if answer.media_type is not None:
            headers.append((b"content-type", answer.media_type.encode()))
            headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if method == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, call: Call, method: str, path: str) -> Answer:
        if not _HOST.match(call.header(b"host")):
            raise Problem("bad_request", "The request cannot be read")
        place, values = self._root.find(path)
        endpoint = place.methods.get(method)
        if endpoint is None:
            return _unserved(method, ", ".join(sorted({*place.methods, "OPTIONS"})))
        call.operation = endpoint.spec
        if endpoint.spec.scope is not None:
            await authenticate(call, endpoint.spec.scope)
        return await endpoint.fn(call, *values)


def _unserved(method: str, allowed: str) -> Answer:
    if method == "OPTIONS":
        return Answer(204, headers=[(b"allow", allowed.encode())])
    raise Problem(
        "method_not_allowed", "The path does not take this method", headers={"Allow": allowed}
    )
