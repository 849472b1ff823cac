"""Buyers' months: what may cross the cap is all that recording needs to read of them."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import affected_keys, identity_of
from domain.facts.aggregate import BuyerMonth, Stored
from domain.facts.fact import Fact, Identity, Version
from domain.facts.ratings import Moderation, Rating
from domain.recording import Refused
from domain.totals import RatingState
from tests.domain.builders import finish, moderation, noon, rating, shop
from tests.domain.memory_shop import MemoryShop, recounted

COUNTED, LATE, CAPPED, REMOVED = RatingState


class Store(MemoryShop):
    """A shop of which a batch reads what the ledger reads: those that may cross the cap."""

    def read(self, versions: Sequence[Version | Refused]) -> Stored:
        """Read named reviews, and as many ratings on each side of the cap."""
        facts = [version for version in versions if isinstance(version, Fact)]
        affected = finish(affected_keys(facts))
        named = affected.named | {(key, review_id) for key, _, _, review_id in affected.rated}
        ratings = sorted(
            (fact for fact in self.versions.values() if isinstance(fact, Rating)),
            key=lambda r: (r.completed_at or r.time, r.time, r.review_id),
        )
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
            for fact in self.versions.values()
            if isinstance(fact, Moderation) and (fact.shop_key, fact.review_id) in named
        ]
        known: dict[Identity, Version] = {
            identity_of(fact): fact for fact in (*read.values(), *moderations)
        }
        states = {(r.shop_key, r.review_id): self._state(r) for r in read.values()}
        return Stored(known, states, {}, unread)

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
    store = Store(shop(ratings_per_buyer_month=cap, rating_deadline_days=15))
    for batch in batches:
        store.record(batch)
        days, _, states = recounted(store.versions, store.shop)
        assert (store.totals(), store.states) == (days, states)
