"""Recording: what a batch of events changes, given what is already stored.

`decide` decides; the ledger behind the port reads what it needs and stores what it decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from domain.days import last_instant
from domain.errors import EventCode, EventRefused, FieldError
from domain.facts import AGGREGATE_OF, AGGREGATES, KIND_OF, Event, admit
from domain.facts.aggregate import AffectedKeys, Recording, Shops, Stored
from domain.facts.fact import Fact, KnownShop


class Refused(msgspec.Struct, frozen=True, gc=False):
    """An event was not taken, and why."""

    code: EventCode
    errors: list[FieldError] = []


Outcome: TypeAlias = Literal["stored", "duplicate"] | Refused
"""What became of one event."""

UNKNOWN_SHOP = Refused(
    "unknown_shop", [FieldError("/subject", "Expected the id of a registered shop")]
)
CONFLICT = Refused("conflict")


class Submission(msgspec.Struct, frozen=True):
    """The events of one request, those that could not be read already refused.

    `shop_ids` are the only shops its key reaches, None for all of the tenant's. `strict` takes
    all events or none.
    """

    tenant_id: int
    shop_ids: frozenset[str] | None
    events: Sequence[Event | Refused]
    strict: bool = False

    def subjects(self) -> set[str]:
        """Return the ids of the shops these events are of, as far as the key reaches."""
        named = {event.subject for event in self.events if not isinstance(event, Refused)}
        return named if self.shop_ids is None else named & self.shop_ids


def admitted(
    submission: Submission, shops: Mapping[tuple[int, str], KnownShop], now: datetime
) -> Iterator[Fact | Refused]:
    """Yield each event as a fact of its shop, or why not; `shops` by tenant and id."""
    tenant_id, reached = submission.tenant_id, submission.shop_ids
    last = last_instant(now)
    for event in submission.events:
        if isinstance(event, Refused):
            yield event
            continue
        shop = shops.get((tenant_id, event.subject))
        if shop is None or (reached is not None and event.subject not in reached):
            yield UNKNOWN_SHOP
            continue
        try:
            yield admit(event, shop, last)
        except EventRefused as refusal:
            yield Refused(refusal.code, refusal.errors)


def affected_keys(facts: Iterable[Fact]) -> AffectedKeys:
    """Return what these facts affect."""
    keys = AffectedKeys(defaultdict(set), defaultdict(set), set(), {})
    for fact in facts:
        AGGREGATE_OF[type(fact)].affect(fact, keys)
    return keys


def decide(
    submissions: Sequence[tuple[Sequence[Fact | Refused], bool]],
    stored: Stored,
    shops: Shops,
) -> tuple[list[list[Outcome]], Recording]:
    """Decide each submission in turn: its facts or refusals, and whether it is strict.

    `shops` by key. The first of several facts with one identity stands, be it stored or earlier
    in the batch.
    """
    seen = dict(stored.facts)
    outcomes: list[list[Outcome]] = []
    new: list[Fact] = []
    for items, strict in submissions:
        decided: list[Outcome] = []
        start = len(new)
        for item in items:
            if isinstance(item, Refused):
                decided.append(item)
                continue
            identity = KIND_OF[type(item)].identify(item)
            before = seen.get(identity)
            if before is None:
                seen[identity] = item
                new.append(item)
                decided.append("stored")
            else:
                decided.append("duplicate" if before == item else CONFLICT)
        outcomes.append(decided)
        if strict and any(isinstance(outcome, Refused) for outcome in decided):
            for fact in new[start:]:
                del seen[KIND_OF[type(fact)].identify(fact)]
            del new[start:]
    recording = Recording(new, {}, {}, {}, {})
    for aggregate in AGGREGATES:
        aggregate.record(recording, stored, shops)
    return outcomes, recording
