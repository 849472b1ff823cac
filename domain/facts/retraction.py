"""Retractions: the data that names a fact to take back, derived from the declarations of kinds."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from domain.events import REVISION_MAX, Envelope, Instant
from domain.facts.fact import Fact, FactKind, KnownShop, Retraction, admit_instant, data_type

LaterRevision = Annotated[int, Meta(ge=1, le=REVISION_MAX)]


class Retractions:
    """The data of retractions of facts of some kinds, and their admission."""

    def __init__(self, kinds: Iterable[FactKind]) -> None:
        self._kinds: dict[str, tuple[FactKind, Mapping[str, object]]] = {}
        types = []
        for kind in kinds:
            for event, decided in kind.events.items():
                tag = str(event.__struct_config__.tag)
                self._kinds[tag] = kind, decided
                types.append(_retracted(tag, event, kind, decided))
        self.data: Any = reduce(or_, types)
        """A union of Structs, told apart by the type of the event that is retracted."""

    def admit(self, event: Any, shop: KnownShop, last: datetime) -> Retraction:
        """Return the retraction that an event states; raise EventRefused for its instants."""
        admit_instant(event.time, last)
        kind, decided = self._kinds[event.data.__struct_config__.tag]
        members = msgspec.structs.asdict(event.data.identity)
        # No column of an identity is null.
        given: dict[str, Any] = {
            name: "" if value is None else value for name, value in members.items()
        }
        if "time" in given:
            given["time"] = admit_instant(given["time"], last, "/data/identity/time")
        values = {"shop_key": shop.shop_key, **given, **decided}
        return Retraction(
            (kind.fact, *(values[column] for column in kind.identity)), event.data.revision
        )


def _retracted(
    tag: str, event: type[Envelope], kind: FactKind, decided: Mapping[str, object]
) -> type[msgspec.Struct]:
    """Return the data that retracts a fact which an event of this type stated."""
    given = {field.name: field for field in msgspec.structs.fields(data_type(event))}
    fields: list[Any] = []
    for column in kind.identity:
        if column == "time":
            fields.append((column, Instant))
        elif column not in decided and column not in Fact.__struct_fields__:
            fields.append((column, given[column].type, given[column].default))
    name = f"{event.__name__}Identity"
    identity = msgspec.defstruct(
        name,
        fields,
        kw_only=True,
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
        namespace={"__doc__": f"What tells facts of `{tag}` apart."},
    )
    return msgspec.defstruct(
        f"{event.__name__}Retraction",
        [("identity", identity), ("revision", LaterRevision)],
        tag_field="type",
        tag=tag,
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
        namespace={"__doc__": f"The fact that an event `{tag}` stated."},
    )
