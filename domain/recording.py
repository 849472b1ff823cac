"""Recording: what a batch of events changes, given what is already stored.

The ledger reads what `affected_keys` names, calls `decide`, and stores the result.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from domain.days import last_instant
from domain.errors import EventCode, EventRefused, FieldError
from domain.facts import AGGREGATES, Event, admit, identity_of
from domain.facts.aggregate import Batch, ReviewKey, Stored, Sums
from domain.facts.fact import Fact, Identity, KnownShop
from domain.totals import RatingState


class Refused(msgspec.Struct, frozen=True, gc=False):
    """The refusal of an event, with its reason."""

    code: EventCode
    errors: list[FieldError] = []


Outcome: TypeAlias = Literal["stored", "duplicate"] | Refused
"""What became of one event."""

UNKNOWN_SHOP = Refused(
    "unknown_shop", [FieldError("/subject", "Expected the id of a registered shop")]
)
CONFLICT = Refused("conflict")


class Submission(msgspec.Struct, frozen=True):
    """The events of one request; undecodable events are refused already.

    `shop_ids` are the shops that the key may access, None for all of the tenant. `strict` stores
    all events or none.
    """

    tenant_id: int
    shop_ids: frozenset[str] | None
    events: Sequence[Event | Refused]
    strict: bool = False

    def subjects(self) -> set[str]:
        """Return the ids of these events' shops that the key may access."""
        named = {event.subject for event in self.events if not isinstance(event, Refused)}
        return named if self.shop_ids is None else named & self.shop_ids


class Recording(msgspec.Struct, frozen=True):
    """What to store: new facts, the states of ratings, and what is added to shops."""

    outcomes: list[list[Outcome]]
    facts: list[Fact]
    states: dict[ReviewKey, RatingState]
    """Of new ratings, and of stored ones whose state changed."""
    moved: Mapping[int, Sums]
    """What is added to each shop, by key."""


def admit_events(
    submission: Submission, shops: Mapping[tuple[int, str], KnownShop], now: datetime
) -> Iterator[Fact | Refused]:
    """Yield the fact or the refusal of each event; `shops` is by tenant and id."""
    tenant_id, shop_ids = submission.tenant_id, submission.shop_ids
    last = last_instant(now)
    for event in submission.events:
        if isinstance(event, Refused):
            yield event
            continue
        shop = shops.get((tenant_id, event.subject))
        if shop is None or (shop_ids is not None and event.subject not in shop_ids):
            yield UNKNOWN_SHOP
            continue
        try:
            yield admit(event, shop, last)
        except EventRefused as refusal:
            yield Refused(refusal.code, refusal.errors)


def decide(
    submissions: Sequence[tuple[Sequence[Fact | Refused], bool]],
    stored: Stored,
    shops: Mapping[int, KnownShop],
) -> Recording:
    """Decide what to store of submissions, each with whether it is strict.

    Submissions are decided in their order; `shops` is by key. Of several facts with the same
    identity the first is stored: one that is stored already, or the earliest of the batch.
    """
    known = dict(stored.facts)
    new: list[Fact] = []
    outcomes = [_outcomes(items, known, new, strict=strict) for items, strict in submissions]
    batch = Batch(stored, new, known, shops)
    for aggregate in AGGREGATES:
        aggregate.record(batch)
    return Recording(outcomes, new, batch.states, batch.moved)


def _outcomes(
    items: Sequence[Fact | Refused], known: dict[Identity, Fact], new: list[Fact], *, strict: bool
) -> list[Outcome]:
    """Return the outcomes of a submission; add its new facts to `known` and `new`.

    A strict submission with any refusal adds none.
    """
    outcomes: list[Outcome] = []
    start = len(new)
    for item in items:
        if isinstance(item, Refused):
            outcomes.append(item)
            continue
        identity = identity_of(item)
        before = known.get(identity)
        if before is None:
            known[identity] = item
            new.append(item)
            outcomes.append("stored")
        else:
            outcomes.append("duplicate" if before == item else CONFLICT)
    if strict and any(isinstance(outcome, Refused) for outcome in outcomes):
        for fact in new[start:]:
            del known[identity_of(fact)]
        del new[start:]
    return outcomes
