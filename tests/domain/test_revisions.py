"""Revisions: of each identity the highest one stands, whatever arrives when."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import FieldError
from domain.facts import identity_of
from domain.facts.fact import Fact, Identity, Retraction, Version
from domain.facts.listings import ListingEvent, StockCount
from domain.facts.orders import Order, Refund
from domain.facts.ratings import Moderation
from domain.recording import Outcome, Refused
from tests.domain.builders import FIRST, NOON, rating, shop
from tests.domain.memory_shop import MemoryShop, recounted

SHOP = shop(sold_window_days=3, ratings_per_buyer_month=2)
LISTING_IDS = ("l-1", "l-2")


def order(revision: int, day: int = 0, listing_id: str = "l-1", amount: int = 100) -> Order:
    time = NOON + timedelta(days=day)
    return Order(1, revision, time, time.date(), "o", "b", None, [listing_id], [1], [amount])


def retraction(fact: Fact, revision: int) -> Retraction:
    return Retraction(identity_of(fact), revision)


def _facts(number: int, revision: int, content: int) -> Fact:
    """Return a fact by the number of its identity; revision and content decide all else."""
    time = NOON + timedelta(days=content % 7)
    moment = NOON + timedelta(days=number)
    listing_id = LISTING_IDS[content % 2]
    match number % 6:
        case 4:
            return rating(
                f"r-{number // 6}",
                revision=revision,
                time=time,
                completed_at=time - timedelta(days=content),
                buyer_id=(None, "b-1", "b-1", "b-2")[content % 4],
                description=1 + content % 5,
            )
        case 5:
            removes = number // 6 % 2 == 0
            return Moderation(
                *(1, revision, moment, moment.date(), f"r-{number // 12}", removes),
                *("other", f"{content}"),
            )
        case 0:
            return Order(
                *(1, revision, time, time.date(), f"o-{number}", "b", None),
                *([listing_id, "l-1"], [1 + content, 2], [content, 7]),
            )
        case 1:
            return Refund(1, revision, time, time.date(), f"f-{number}", f"o-{content}", content)
        case 2:
            kind = ("published", "withdrawn", "edited")[number // 6 % 3]
            listed = LISTING_IDS[number // 18 % 2]
            return ListingEvent(1, revision, moment, moment.date(), listed, kind, f"{content}")
        case _:
            return StockCount(1, revision, moment, moment.date(), "l-1", "", content)


@st.composite
def _streams(draw: st.DrawFn) -> list[Version]:
    """Draw versions of few facts, in any order and some of them several times."""
    versions: list[Version] = []
    for number in draw(st.sets(st.integers(0, 47), min_size=1, max_size=9)):
        for revision in draw(st.sets(st.integers(0, 4), min_size=1)):
            fact = _facts(number, revision, draw(st.integers(0, 20)))
            retracts = revision and draw(st.booleans())
            versions.append(retraction(fact, revision) if retracts else fact)
    repeated = draw(st.lists(st.sampled_from(versions), max_size=6))
    return draw(st.permutations([*versions, *repeated]))


@given(_streams(), st.data())
def test_any_order_repetition_and_batches_leave_the_highest_revisions(
    stream: list[Version], data: st.DataObject
) -> None:
    """Totals are those of the facts that stand, and of each identity the highest stands."""
    memory = MemoryShop(SHOP)
    rest = stream
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        outcomes = memory.record(rest[:size])
        assert set(outcomes) <= {"stored", "duplicate"}
        rest = rest[size:]
    highest: dict[Identity, Version] = {}
    for version in sorted(stream, key=lambda version: version.revision):
        highest[identity_of(version)] = version
    assert memory.versions == highest
    days, sale_days, states = recounted(highest, SHOP)
    assert memory.totals() == days
    assert {listing: sold for listing, sold in memory.sale_days.items() if sold} == sale_days
    assert {review: memory.states[review] for review in states} == states


OTHER_LINES = FieldError("/data/lines", "Expected the value that is stored")


@pytest.mark.parametrize(
    ("sent", "outcomes"),
    [
        ([order(0), order(1, amount=7)], ["stored", "stored"]),
        ([order(1), order(0, amount=7)], ["stored", "duplicate"]),
        ([order(0), order(0, amount=7)], ["stored", Refused("conflict", [OTHER_LINES])]),
        ([retraction(order(0), 1), order(0)], ["stored", "duplicate"]),
        ([order(3), retraction(order(0), 2)], ["stored", "duplicate"]),
        ([order(0), *[retraction(order(0), 1)] * 2], ["stored", "stored", "duplicate"]),
        ([retraction(order(0), 1), order(2)], ["stored", "stored"]),
    ],
)
def test_a_higher_revision_is_stored_and_a_lower_one_is_a_duplicate(
    sent: list[Version], outcomes: list[Outcome]
) -> None:
    """Outcomes are the same in one batch as in one batch each."""
    assert MemoryShop(SHOP).record(sent) == outcomes
    one_by_one = MemoryShop(SHOP)
    assert [outcome for version in sent for outcome in one_by_one.record([version])] == outcomes


@pytest.mark.parametrize("other", [order(2, amount=7), retraction(order(0), 2)])
def test_equal_revisions_with_other_content_are_a_conflict_that_tells_the_stored_one(
    other: Version,
) -> None:
    """The error stands at the revision, which must be raised."""
    memory = MemoryShop(SHOP)
    assert memory.record([order(2)]) == ["stored"]
    error = FieldError("/data/revision", "Expected more than 2, the revision that is stored")
    others = [OTHER_LINES] if isinstance(other, Fact) else []
    assert memory.record([other]) == [Refused("conflict", [*others, error])]


def test_a_refused_strict_batch_leaves_the_revisions_before_it() -> None:
    """Neither its revisions nor its retractions stand."""
    memory = MemoryShop(SHOP)
    memory.record([order(0)])
    refused: list[Version | Refused] = [
        order(1, amount=7),
        retraction(order(0), 2),
        Refused("malformed"),
    ]
    memory.record(refused, strict=True)
    assert memory.versions == {identity_of(order(0)): order(0)}


def test_figures_follow_an_order_to_another_day_and_listing_and_away() -> None:
    """An order takes along all that it added."""
    memory = MemoryShop(SHOP)
    memory.record([order(0)])
    memory.record([order(1, day=2, listing_id="l-2")])
    assert memory.sale_days == {"l-1": {}, "l-2": {FIRST + timedelta(days=2): 1}}
    memory.record([retraction(order(0), 2)])
    assert memory.totals() == {}
