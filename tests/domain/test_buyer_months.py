"""Buyers' months: what may cross the cap is all that recording needs to read of them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import affected_keys, identity_of
from domain.facts.aggregate import AffectedKeys, BuyerMonth, ReviewKey, Stored
from domain.facts.fact import Fact, Identity, KnownShop, Version
from domain.facts.ratings import Moderation, Rating, add_ratings, is_removed
from domain.recording import decide
from domain.totals import RatingState, zero_totals
from tests.domain.builders import finish, moderation, noon, rating, shop

COUNTED, LATE, CAPPED, REMOVED = RatingState


class Store:
    """Facts and states in memory, read as the ledger reads them."""

    def __init__(self, recorded_by: KnownShop) -> None:
        self.shop = recorded_by
        self.facts: dict[Identity, Version] = {}
        self.states: dict[ReviewKey, RatingState] = {}
        self.days: defaultdict[date, list[int]] = defaultdict(zero_totals)

    def record(self, facts: Sequence[Fact]) -> None:
        """Record a batch."""
        recording = finish(
            decide([(facts, False)], self._read(finish(affected_keys(facts))), {1: self.shop})
        )
        self.facts |= recording.changes
        self.states |= recording.states
        for day, moved in recording.moved[1].days.items():
            self.days[day] = [sum(pair) for pair in zip(self.days[day], moved, strict=True)]

    def ratings(self) -> list[Rating]:
        """Return the stored ratings in the order of the cap."""
        ratings = [fact for fact in self.facts.values() if isinstance(fact, Rating)]
        return sorted(ratings, key=lambda r: (r.completed_at or r.time, r.time, r.review_id))

    def _read(self, affected: AffectedKeys) -> Stored:
        """Read named reviews, and as many ratings on each side of the cap."""
        named = affected.named | {(key, review_id) for key, _, _, review_id in affected.rated}
        ratings = self.ratings()
        months: Counter[BuyerMonth] = Counter(key[:3] for key in affected.rated)
        months += Counter(
            stored.buyer_month
            for stored in ratings
            if (stored.shop_key, stored.review_id) in affected.named
        )
        read = {r.review_id: r for r in ratings if (r.shop_key, r.review_id) in named}
        unread: dict[BuyerMonth, int] = {}
        for month, n in months.items():
            counted, capped = (
                [r for r in ratings if r.buyer_month == month and self._state(r) is state]
                for state in (COUNTED, CAPPED)
            )
            read |= {r.review_id: r for r in (*counted[-n:], *capped[:n])}
            unread[month] = sum(r.review_id not in read for r in counted)
        moderations = [
            fact
            for fact in self.facts.values()
            if isinstance(fact, Moderation) and (fact.shop_key, fact.review_id) in named
        ]
        facts: dict[Identity, Version] = {
            identity_of(fact): fact for fact in (*read.values(), *moderations)
        }
        states = {(r.shop_key, r.review_id): self._state(r) for r in read.values()}
        return Stored(facts, states, {}, unread)

    def _state(self, stored: Rating) -> RatingState:
        return self.states[stored.shop_key, stored.review_id]


def _drawn_rating(number: int, completed: int, buyer_id: str) -> Rating:
    # A third of these ratings is late, and each is always the same one.
    late = timedelta(days=20 if number % 3 == 0 else 1)
    completed_at = noon(completed) + timedelta(hours=number)
    return rating(
        f"r-{number:02}",
        completed_at=completed_at,
        time=completed_at + late,
        buyer_id=buyer_id,
        month=noon(completed).date().replace(day=1),
        day=(completed_at + late).date(),
        description=1 + number % 5,
    )


_facts = st.one_of(
    st.integers(0, 25).map(lambda n: _drawn_rating(n, 7 * n % 40, "b-1" if n % 4 else "b-2")),
    st.builds(
        lambda number, hours, removes: msgspec.structs.replace(
            moderation(hours, removes=removes), review_id=f"r-{number:02}"
        ),
        st.integers(0, 25),
        st.integers(0, 5),
        st.booleans(),
    ),
)
_batches = st.lists(st.lists(_facts, min_size=1, max_size=8), max_size=12)
_caps = st.integers(1, 3) | st.none()


@given(_batches, _caps)
def test_what_may_cross_the_cap_is_enough_to_read(
    batches: list[list[Fact]], cap: int | None
) -> None:
    """Ratings, removals and restorals in batches of any size give the states of all together."""
    known_shop = shop(ratings_per_buyer_month=cap, rating_deadline_days=15)
    store = Store(known_shop)
    for batch in batches:
        store.record(batch)

        moderations: defaultdict[str, list[Moderation]] = defaultdict(list)
        for fact in store.facts.values():
            if isinstance(fact, Moderation):
                moderations[fact.review_id].append(fact)
        cohorts: defaultdict[BuyerMonth, list[tuple[Rating, bool]]] = defaultdict(list)
        for stored in store.ratings():
            removed = is_removed(moderations[stored.review_id])
            cohorts[stored.buyer_month].append((stored, removed))
        days: defaultdict[date, list[int]] = defaultdict(zero_totals)
        states: dict[ReviewKey, RatingState] = {}
        for cohort in cohorts.values():
            added = finish(add_ratings(days, cohort, known_shop.rules))
            states |= {(1, review_id): state for review_id, state in added.items()}
        assert store.states == states
        assert {d: row for d, row in store.days.items() if any(row)} == days
