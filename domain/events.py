"""CloudEvents as they are received: the attributes that every event carries.

The types of events and their `data` are declared beside their facts in `domain.facts`.
Decoding them checks shape, types and bounds. What depends on the shop or the clock (whether the
shop is known, its currency, the time) is checked when an event is admitted.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.names import EventText, Name

Instant = Annotated[datetime, Meta(tz=True)]
REVISION_MAX = 2**53 - 1
Revision = Annotated[int, Meta(ge=0, le=REVISION_MAX)]
Amount = Annotated[
    str,
    Meta(
        pattern=r"^(0|[1-9][0-9]*)(\.[0-9]+)?$(?!\n)",
        title="a decimal number of 0 or more as text, such as 12.50",
    ),
]


class Attributes(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """CloudEvents attributes that every event carries; `subject` is the shop."""

    specversion: Literal["1.0"]
    id: EventText
    source: EventText
    subject: Name
    time: Instant


class AnyEvent(Attributes, frozen=True, gc=False, kw_only=True):
    """An event of any type, its data not decoded."""

    type: str
    data: msgspec.Raw


class Envelope(Attributes, frozen=True, gc=False, tag_field="type"):
    """The common shape of the events of this service; `type` tells them apart."""


class EventData(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """The data of an event that states a fact; an absent revision is 0."""

    revision: Revision | None = None
