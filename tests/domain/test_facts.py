"""Facts: the declaration of a kind gives its admission, its identity and its sums."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest

from domain.errors import EventRefused
from domain.facts import AGGREGATES, KINDS, Event, EventRetracted, admit, affected_keys, identity_of
from domain.facts.aggregate import (
    Batch,
    ProjectedAggregate,
    Projection,
    SoldUnits,
    Stored,
    Sums,
)
from domain.facts.fact import (
    Fact,
    FactKind,
    Identity,
    KnownShop,
    Retraction,
    Version,
    make_admission,
)
from domain.facts.listings import ListingEdited, ListingEvent, StockCounted
from domain.facts.orders import ORDERS, Order, OrderRefunded, Refund
from domain.facts.ratings import Moderation
from tests.domain.builders import NOON, day, finish, noon, shop

LAST = NOON + timedelta(days=400)


def event(kind: str, time: datetime = NOON, **data: Any) -> Event:
    """Return an event of a type."""
    attributes = {"specversion": "1.0", "id": "e", "source": "s", "subject": "a"}
    decoded: Event = msgspec.convert(
        {**attributes, "type": kind, "time": time, "data": data}, Event
    )
    return decoded


def refund(refund_id: str, order_id: str, amount: int = 100) -> Refund:
    return Refund(
        shop_key=1,
        revision=0,
        time=NOON,
        day=day(0),
        refund_id=refund_id,
        order_id=order_id,
        amount=amount,
    )


def test_each_event_is_admitted_as_a_fact_of_one_kind() -> None:
    admitted = [name for kind in KINDS.values() for name in kind.admissions]
    assert {*admitted, EventRetracted} == set(get_args(Event))
    assert len(admitted) == len(set(admitted))


def test_kinds_have_tables_of_their_own_and_identities_of_columns() -> None:
    kinds = [kind for aggregate in AGGREGATES for kind in aggregate.kinds]
    assert len({kind.table for kind in kinds}) == len(KINDS) == len(kinds)
    for kind in kinds:
        assert set(kind.identity) <= set(kind.columns)


def test_members_of_the_same_name_are_copied_and_amounts_become_minor_units() -> None:
    sent = event("order.refunded", noon(3), refund_id="f", order_id="o", amount="12.5")
    assert admit(sent, shop(), LAST) == Refund(1, 0, noon(3), day(3), "f", "o", 1250)


def test_the_type_of_an_event_decides_what_its_data_does_not_say() -> None:
    removed, restored = (
        admit(event(kind, review_id="r"), shop(), LAST)
        for kind in ("review.removed", "review.restored")
    )
    assert removed == Moderation(1, 0, NOON, day(0), "r", True, None, None)
    assert restored == msgspec.structs.replace(removed, removes=False)
    edited = admit(event("listing.edited", listing_id="l"), shop(), LAST)
    assert edited == ListingEvent(1, 0, NOON, day(0), "l", "edited", None)


@pytest.mark.parametrize(
    ("amount", "time", "code", "pointer"),
    [
        ("1", LAST + timedelta(microseconds=1), "time_out_of_range", "/time"),
        ("1", datetime(1999, 12, 31, 23, 59, tzinfo=UTC), "time_out_of_range", "/time"),
        ("1.234", NOON, "invalid", "/data/amount"),
        ("1.234", LAST + timedelta(days=1), "invalid", "/data/amount"),
    ],
)
def test_an_amount_is_refused_before_a_time(
    amount: str, time: datetime, code: str, pointer: str
) -> None:
    sent = event("order.refunded", time, refund_id="f", order_id="o", amount=amount)
    with pytest.raises(EventRefused) as refusal:
        admit(sent, shop(), LAST)
    assert (refusal.value.code, refusal.value.errors[0].pointer) == (code, pointer)


def test_a_retraction_names_the_type_of_an_event_and_the_members_of_its_identity() -> None:
    data = {"type": "listing.edited", "identity": {"listing_id": "l", "time": noon(3)}}
    sent = event("event.retracted", noon(9), **data, revision=4)
    identity = identity_of(ListingEvent(1, 0, noon(3), day(3), "l", "edited", None))
    assert admit(sent, shop(), LAST) == Retraction(identity, 4)


@pytest.mark.parametrize(("time", "pointer"), [(0, "/time"), (1, "/data/identity/time")])
def test_the_instants_of_a_retraction_have_bounds_too(time: int, pointer: str) -> None:
    instants = [NOON, NOON]
    instants[time] = LAST + timedelta(days=1)
    identity = {"listing_id": "l", "time": instants[1]}
    data = {"type": "stock.counted", "identity": identity, "revision": 1}
    with pytest.raises(EventRefused) as refusal:
        admit(event("event.retracted", instants[0], **data), shop(), LAST)
    assert refusal.value.errors[0].pointer == pointer


def test_a_declaration_with_members_that_no_event_gives_is_refused() -> None:
    with pytest.raises(TypeError, match="ListingEdited says nothing of kind, title"):
        make_admission(ListingEdited, ListingEvent, {})


def test_a_declaration_that_drops_data_of_an_event_is_refused() -> None:
    with pytest.raises(TypeError, match="ListingEvent holds nothing of location, on_hand"):
        make_admission(StockCounted, ListingEvent, {"kind": "counted", "title": None})


def test_identities_of_different_kinds_differ() -> None:
    assert identity_of(refund("x", "o")) == (Refund, 1, "x")
    assert len({identity_of(refund(name, "o")) for name in ("x", "y", "x")}) == 2


def test_a_fact_is_looked_up_by_its_identity_alone() -> None:
    affected = finish(affected_keys([refund("f", "o")]))
    assert affected.facts == {Refund: {(1, "f")}}


def by_identity(facts: Iterable[Fact]) -> dict[Identity, Version]:
    return {identity_of(fact): fact for fact in facts}


def largest_refund(
    facts: Sequence[Refund],
    _shop: KnownShop,
    _sold: SoldUnits,
) -> Projection:
    """Project the largest refund of an order, which depends on all of its refunds."""
    last = max(facts, key=lambda fact: fact.amount)
    return Projection({(last.day, "refunded"): last.amount})


TOGETHER = ProjectedAggregate(
    "order_id",
    (
        FactKind(
            Refund,
            "refunds",
            identity=("refund_id",),
            events={OrderRefunded: {}},
        ),
    ),
    largest_refund,
)


@pytest.mark.parametrize(("amount", "moved"), [(50, 0), (100, 0), (130, 30)])
def test_a_batch_moves_what_its_aggregates_add_after_less_before(amount: int, moved: int) -> None:
    stored = [refund("f-1", "o-1", 100), refund("f-2", "o-2", 7)]
    new = [refund("f-3", "o-1", amount)]
    batch = Batch(Stored(by_identity(stored), {}, {}), by_identity(new), {1: shop()})
    finish(TOGETHER.record(batch))
    assert batch.moved[1].days[day(0)][_place("refunded")] == moved


def _place(counter: str) -> int:
    sums = Sums()
    sums.add(Projection({(day(0), counter): 1}))
    return sums.days[day(0)].index(1)


def test_a_counter_that_is_not_listed_is_refused() -> None:
    with pytest.raises(KeyError, match="refundet"):
        Sums().add(Projection({(day(0), "refundet"): 1}))


def test_units_and_sale_days_follow_from_orders() -> None:
    listing_ids = ["l-1", "l-1", "l-2"]
    order = Order(1, 0, NOON, day(0), "o", "b", None, listing_ids, [1, 2, 4], [100, 200, 0])
    sums = Sums({"l-1": {day(-3): 7}})
    sums.add(ORDERS.project([order], shop(), {}))
    assert sums.units == {("l-1", day(0)): 3, ("l-2", day(0)): 4}
    assert sums.sale_days == {"l-1": {day(-3): 7, day(0): 3}, "l-2": {day(0): 4}}
    sums.add(ORDERS.project([order], shop(), {}), -1)
    assert sums.sale_days == {"l-1": {day(-3): 7, day(0): 0}, "l-2": {day(0): 0}}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.table)
def test_buyers_and_free_texts_of_facts_can_be_erased(kind: FactKind) -> None:
    own = {"buyer_id", "comment", "note", "text"} & {*kind.columns}
    assert own <= {*kind.erased}
    assert bool(kind.erased) == ("erased" in kind.columns)
    assert not kind.erased or "buyer_id" in kind.erased or kind.erased_with


def test_a_retraction_of_an_erased_fact_is_stored_with_the_id_in_place_of_its_buyer() -> None:
    kind = KINDS[Order]
    order = Order(1, 0, NOON, day(0), "o", "x", None, ["l-1"], [1], [100], erased=True)
    retracted = kind.keep_erased(Retraction(identity_of(order), 1), order)
    assert kind.version(kind.row(retracted)) == retracted
    later = Order(1, 2, NOON, day(0), "o", "b", None, ["l-1"], [2], [200])
    returned = msgspec.structs.replace(later, buyer_id="x", erased=True)
    assert kind.keep_erased(later, retracted) == returned
    assert kind.version(kind.row(returned)) == returned
