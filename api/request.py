"""The request that handlers take: Litestar's, with the ports and a body that is read strictly."""

from contextlib import AbstractContextManager
from functools import cache, cached_property
from time import monotonic
from typing import Any, get_type_hints

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.types import AnyCallable

from api import bodies, strict_json
from api.auth import limit_rate, valid_key
from api.memory_budget import Reservation
from api.metrics import Metrics
from api.operations import operation_id
from api.ports import Ports
from api.problems import Problem
from domain.acts import Act
from domain.keys import ApiKey

KEY_HOLDS_S = 0.5
"""A body that takes longer to read than this has its key checked again."""


class ApiRequest(Request[None, ApiKey, State]):
    """A request; `auth` is its key, once that has been checked."""

    _inflated: bytes | None = None

    @cached_property
    def ports(self) -> Ports:
        """Return the ports that were opened when the application started."""
        ports: Ports = self.app.state.ports
        return ports

    @property
    def metrics(self) -> Metrics:
        """Return the metrics of the application."""
        metrics: Metrics = self.app.state.metrics
        return metrics

    @property
    def act(self) -> Act:
        """Return what the request does, as the audit trail tells it."""
        name = operation_id(self.route_handler.fn)
        return Act(self.auth.tenant_id, self.auth.key_id, name, self.ports.clock())

    @cached_property
    def media_type(self) -> str:
        """Return the media type of the body; raises Problem for one that is not taken.

        It is empty where none is given and there need be no body.
        """
        opt, content_type = self.route_handler.opt, self.header("content-type")
        if not content_type and not opt["body_required"]:
            return ""
        return bodies.media_type(content_type, opt["bodies"], is_data=bool(self.ce_headers))

    @property
    def ce_headers(self) -> list[str]:
        """Return the names of the headers that carry the attributes of a CloudEvent."""
        return [name.decode() for name, _ in self.scope["headers"] if name.startswith(b"ce-")]

    @property
    def body_bytes_max(self) -> int:
        """Return the limit of a body of this media type."""
        field = self.route_handler.opt["bodies"].get(self.media_type, "event_bytes_max")
        limit: int = getattr(self.ports.limits, field)
        return limit

    async def check_key(self) -> None:
        """Check that the key is valid now; raises Problem `unauthorized`."""
        self.scope["auth"] = await valid_key(self.ports, self.header("authorization"))

    async def authenticate(self) -> None:
        """Check the key, its rate and its scope.

        Raises Problem `unauthorized`, `rate_limited` or `forbidden`.
        """
        await self.check_key()
        limit_rate(self.ports, self.auth.key_id, self.scope["state"])
        needed = self.route_handler.opt["scope"]
        if not self.auth.has(needed):
            raise Problem("forbidden", f"This needs a key with the scope `{needed}`")
        if self.route_handler.opt["tenant_wide"] and self.auth.shop_ids is not None:
            raise Problem("forbidden", "This needs a key without a list of shops")

    def header(self, name: str) -> str:
        """Return a header, several of a name as one list; empty where there is none.

        Litestar's `headers` cost 8 µs for the two headers that most requests need.
        """
        encoded = name.encode()
        values = [value for given, value in self.scope["headers"] if given == encoded]
        return b", ".join(values).decode("latin-1")

    def body_reader(self) -> bodies.BodyReader:
        """Return a reader of the body as it comes in."""
        return bodies.BodyReader(
            self.receive,
            self.ports.limits,
            is_gzip=bodies.is_gzip(self.header("content-encoding")),
            content_length=self.header("content-length"),
        )

    def check_body(self) -> None:
        """Check what the head says of the body: media type, encoding and length.

        Raises Problem `unsupported_media_type` or `content_too_large`.
        """
        if self.route_handler.opt["bodies"]:
            limit, length = self.body_bytes_max, self.header("content-length")
            bodies.is_gzip(self.header("content-encoding"))
            if length.isdecimal() and int(length) > limit:
                raise bodies.too_large(limit)

    async def body(self) -> bytes:
        """Read the whole inflated body, within the limit of its media type."""
        if self._inflated is None:
            try:
                with self.reservation() as reservation:
                    self._inflated = bytes(await self.read_body(reservation))
            except bodies.EmptyBody:
                if self.route_handler.opt["body_required"]:
                    raise
                self._inflated = b""
        return self._inflated

    async def json(self) -> Any:
        """Decode the body as the type of the handler's `data`; called by Litestar."""
        return strict_json.decode(await self.body(), body_decoder(self.route_handler.fn))

    def reservation(self) -> AbstractContextManager[Reservation]:
        """Open a reservation of memory for a body and its items."""
        return self.ports.memory_budget.reservation()

    async def read_body(self, reservation: Reservation) -> bytes | bytearray:
        """Read the whole inflated body without keeping it here."""
        started_s = monotonic()
        body = await bodies.read(self.body_reader(), reservation, self.body_bytes_max)
        if monotonic() - started_s > KEY_HOLDS_S:
            await self.check_key()
        if not self.media_type:
            bodies.media_type("", self.route_handler.opt["bodies"])
        return body


@cache
def body_decoder(fn: AnyCallable) -> msgspec.json.Decoder[Any]:
    """Return the decoder of the type that a handler declares for its `data`."""
    return msgspec.json.Decoder(get_type_hints(fn, include_extras=True)["data"])
