"""CloudEvents on their way in: the attributes that every event carries.

The types of events, each with its `data`, stand with the facts they state in `domain.facts`.
Decoding them checks shape, types and bounds. What depends on the shop or the clock (whether the
shop is known, its currency, the time) is checked when an event is admitted.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.names import EventText, Name

Instant = Annotated[datetime, Meta(tz=True)]
Amount = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]*)(\.[0-9]+)?$(?!\n)")]


class Attributes(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """CloudEvents attributes that every event carries; `subject` is the shop."""

    specversion: Literal["1.0"]
    id: EventText
    source: EventText
    subject: Name
    time: Instant


class AnyEvent(Attributes, frozen=True, gc=False, kw_only=True):
    """An event of whatever type, its data not looked at."""

    type: str
    data: msgspec.Raw


class Envelope(Attributes, frozen=True, gc=False, tag_field="type"):
    """What the events of this service have in common; `type` tells them apart."""
