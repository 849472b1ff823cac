"""Recording: what a batch of events changes, given what is already stored.

The ledger reads what `affected_keys` names, calls `decide`, and stores the result.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from domain.days import last_instant
from domain.errors import EventCode, EventRefused, FieldError
from domain.facts import AGGREGATES, KINDS, Event, admit, differences, identity_of
from domain.facts.aggregate import Batch, ReviewKey, Stored, Sums
from domain.facts.fact import Fact, Identity, KnownShop, Version
from domain.facts.faults import every_error
from domain.steps import ITEMS_A_STEP, Steps
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
    """New facts, the states of ratings, and what they add to shops, all to be stored."""

    outcomes: list[list[Outcome]]
    changes: Mapping[Identity, Version]
    """New versions by identity."""
    states: dict[ReviewKey, RatingState]
    """Of new ratings, and of stored ones whose state changed."""
    moved: Mapping[int, Sums]
    """What is added to each shop, by key."""


def admit_events(
    submission: Submission, shops: Mapping[tuple[int, str], KnownShop], now: datetime
) -> Steps[list[Version | Refused]]:
    """Compute the version or the refusal of each event; `shops` is by tenant and id."""
    admitted: list[Version | Refused] = []
    tenant_id, shop_ids = submission.tenant_id, submission.shop_ids
    last = last_instant(now)
    for event in submission.events:
        yield
        if isinstance(event, Refused):
            admitted.append(event)
            continue
        shop = shops.get((tenant_id, event.subject))
        if shop is None or (shop_ids is not None and event.subject not in shop_ids):
            errors = every_error(UNKNOWN_SHOP.errors, event, None, last)
            admitted.append(Refused(UNKNOWN_SHOP.code, errors))
            continue
        try:
            admitted.append(admit(event, shop, last))
        except EventRefused as refusal:
            errors = every_error(refusal.errors, event, shop, last)
            admitted.append(Refused(refusal.code, errors))
    return admitted


def keep_erased(items: Sequence[Version | Refused], stored: Stored) -> Sequence[Version | Refused]:
    """Return the versions without what was erased of their facts.

    If nothing was, return `items` itself.
    """
    erased = {identity for identity, version in stored.facts.items() if version.erased}
    if not erased:
        return items
    left = [
        KINDS[identity[0]].keep_erased(item, stored.facts[identity])
        if not isinstance(item, Refused) and (identity := identity_of(item)) in erased
        else item
        for item in items
    ]
    return items if left == items else left


def replaced_facts(items: Iterable[Version | Refused], stored: Stored) -> list[Fact]:
    """Return the stored facts that some of these versions replace or retract."""
    replaced = []
    for item in items:
        if not isinstance(item, Refused) and item.revision:
            before = stored.facts.get(identity_of(item))
            if isinstance(before, Fact) and before.revision < item.revision:
                replaced.append(before)
    return replaced


def decide(
    submissions: Sequence[tuple[Sequence[Version | Refused], bool]],
    stored: Stored,
    shops: Mapping[int, KnownShop],
) -> Steps[Recording]:
    """Decide what to store of submissions, each with whether it is strict.

    Submissions are decided in their order; `shops` is by key. Of several versions with the same
    identity the one with the highest revision stands; of the same revision the first.
    """
    changes: dict[Identity, Version] = {}
    outcomes = []
    for items, strict in submissions:
        decided = yield from _outcomes(items, stored.facts, changes, strict=strict)
        outcomes.append(decided)
    batch = Batch(stored, changes, shops)
    for aggregate in AGGREGATES:
        yield from aggregate.record(batch)
    return Recording(outcomes, changes, batch.states, batch.moved)


def _outcomes(
    items: Sequence[Version | Refused],
    stored: Mapping[Identity, Version],
    changes: dict[Identity, Version],
    *,
    strict: bool,
) -> Steps[list[Outcome]]:
    """Compute the outcomes of a submission, and add its new versions to `changes`.

    A strict submission with any refusal adds none.
    """
    outcomes: list[Outcome] = []
    own: dict[Identity, Version] = {}
    for number, item in enumerate(items):
        if number % ITEMS_A_STEP == 0:
            yield
        if isinstance(item, Refused):
            outcomes.append(item)
            continue
        identity = identity_of(item)
        before = own.get(identity) or changes.get(identity) or stored.get(identity)
        if before is None or before.revision < item.revision:
            own[identity] = item
            outcomes.append("stored")
        elif before == item or before.revision > item.revision:
            outcomes.append("duplicate")
        else:
            outcomes.append(_conflict(before, item))
    if not (strict and any(isinstance(outcome, Refused) for outcome in outcomes)):
        changes.update(own)
    return outcomes


def _conflict(stored: Version, version: Version) -> Refused:
    """Return the refusal of a version, with the place of each difference."""
    errors = [
        FieldError(pointer, "Expected the value that is stored")
        for pointer in differences(stored, version)
    ]
    if version.revision:
        expected = f"Expected more than {version.revision}, the revision that is stored"
        errors.append(FieldError("/data/revision", expected))
    return Refused("conflict", errors)
