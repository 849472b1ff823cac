"""The service and the reference receive the same from Hypothesis; equal after each step."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from litestar.testing import TestClient

from api.ports import Limits, Ports
from infra.postgres.database import PoolLimits
from shopdsr.app import create_app, open_ports
from tests.conftest import Clock
from tests.faults.check import differences
from tests.faults.figures import Figures, Form
from tests.faults.stage import template
from tests.faults.stream import Json
from tests.harness.postgres import Cluster
from tests.reference.rules import BUILT_IN
from tests.reference.scores import Reference

SHOP_IDS = ("a", "b", "nobody's")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BATCH_TYPE = {"content-type": "application/cloudevents-batch+json"}

_few = st.integers(0, 3)
_shop = st.fixed_dictionaries(
    {
        "marketplace": st.sampled_from(["taobao", "pinduoduo"]),
        "category": st.sampled_from(["baby", "toys"]),
        "currency": st.just("CNY"),
        "time_zone": st.just("Asia/Shanghai"),
        "rules": st.sampled_from(["taobao", "pinduoduo", "own"]),
    }
)
_times = st.builds(
    lambda days, seconds: (NOON - timedelta(days=days, seconds=seconds)).isoformat(),
    st.sampled_from([0, 1, 14, 15, 16, 29, 30, 89, 90, 179, 180]),
    st.sampled_from([0, 1, 43_200]),
)
_scores = st.dictionaries(
    st.sampled_from(["description", "service", "logistics"]), st.integers(1, 5), min_size=1
)
_line = st.builds(
    lambda listing, quantity, amount: {
        "listing_id": f"l{listing}",
        "quantity": quantity,
        "amount": f"{amount}",
    },
    _few,
    st.integers(0, 2),  # none is one too few
    st.integers(0, 9),
)
_data: dict[str, st.SearchStrategy[Json]] = {
    "review.posted": st.builds(
        lambda review, buyer, scores, done: {
            "review_id": f"r{review}",
            "order_id": "o",
            "buyer_id": f"b{buyer}",
            "scores": scores,
            "completed_at": done,
        },
        st.integers(0, 7),
        st.integers(0, 1),
        _scores,
        st.none() | _times,
    ),
    "review.removed": st.builds(lambda n: {"review_id": f"r{n}"}, st.integers(0, 7)),
    "review.restored": st.builds(lambda n: {"review_id": f"r{n}"}, st.integers(0, 7)),
    "order.paid": st.builds(
        lambda n, lines: {"order_id": f"o{n}", "buyer_id": "b", "lines": lines},
        _few,
        st.lists(_line, min_size=1, max_size=2),
    ),
    "order.refunded": st.builds(
        lambda n, amount: {"refund_id": f"f{n}", "order_id": "o", "amount": f"{amount}.05"},
        _few,
        _few,
    ),
    "listing.published": st.builds(lambda n: {"listing_id": f"l{n}"}, _few),
    "listing.withdrawn": st.builds(lambda n: {"listing_id": f"l{n}"}, _few),
    "stock.counted": st.builds(lambda n: {"listing_id": f"l{n}", "on_hand": n}, _few),
}
_event = st.sampled_from(sorted(_data)).flatmap(
    lambda kind: st.builds(
        lambda shop_id, time, data: {
            "specversion": "1.0",
            "id": "e",
            "source": "/model",
            "type": kind,
            "subject": shop_id.replace("'", "-"),
            "time": time,
            "data": data,
        },
        st.sampled_from(SHOP_IDS),
        _times,
        _data[kind],
    )
)
_events = st.lists(_event, min_size=3, max_size=12)


class ServiceAndReference(RuleBasedStateMachine):
    """A fresh service and a fresh reference."""

    cluster: Cluster
    template: str
    key: str
    figures: Figures

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.clock.now = NOON
        self.reference = Reference(NOON)
        self.stack = ExitStack()
        self.url = self.stack.enter_context(self.cluster.database(template=self.template))
        self.client = self.stack.enter_context(TestClient(create_app(self._ports())))
        self.client.headers["authorization"] = f"Bearer {self.key}"
        self.last: list[Json] = []

    def _ports(self) -> Callable[[], AbstractAsyncContextManager[Ports]]:
        return lambda: open_ports(self.url, PoolLimits(connections_max=2), Limits(), self.clock)

    def _put(self, path: str, body: Json) -> None:
        answer = self.client.put(f"/v1/{path}", json=body)
        assert answer.status_code in {200, 201}, answer.text

    @initialize()
    def begin(self) -> None:
        """Register two shops, and rules of the tenant's own."""
        self.change_rules(2, 5)
        shop = {"marketplace": "taobao", "category": "baby", "currency": "CNY"}
        for shop_id in SHOP_IDS[:2]:
            self.put_shop(shop_id, {**shop, "time_zone": "Asia/Shanghai", "rules": "taobao"})

    @rule(shop_id=st.sampled_from(SHOP_IDS[:2]), shop=_shop)
    def put_shop(self, shop_id: str, shop: Json) -> None:
        """Replace a shop, perhaps under other rules."""
        self._put(f"shops/{shop_id}", shop)
        self.reference.put_shop({"shop_id": shop_id, **shop})

    @rule(cap=st.integers(1, 3), days=st.sampled_from([1, 15, 30]))
    def change_rules(self, cap: int, days: int) -> None:
        """Give the rules another version."""
        fields = BUILT_IN["taobao"] | {
            "ratings_per_buyer_month": cap,
            "sales_window_days": days,
            "sold_window_days": days,
        }
        self._put("rules/own", fields)
        self.reference.put_rules("own", fields)

    @rule(events=_events)
    def send(self, events: list[Json]) -> None:
        """Send events: new ones, known ones, contradictions, strangers'."""
        self.last = events
        answer = self.client.post("/v1/events", content=json.dumps(events), headers=BATCH_TYPE)
        expected = self.reference.post(events)
        assert answer.status_code == expected.status, answer.text
        assert _verdicts(answer.json()) == _verdicts(expected.body)
        self.figures.acknowledged += expected.body["stored"] + expected.body["duplicates"]

    @rule()
    def send_again(self) -> None:
        """Send the last events once more, in reverse."""
        if self.last:
            self.send(self.last[::-1])

    @rule(days=st.sampled_from([1, 30, 180]))
    def wait(self, days: int) -> None:
        """Let time go by."""
        self.clock.now += timedelta(days=days)
        self.reference.now = self.clock.now

    @invariant()
    def equal(self) -> None:
        """Compare scorecards, today and on an earlier day."""
        self.figures.faults += 1
        for shop_id in self.reference.shop_ids:
            for day in (None, self.reference.today(shop_id) - timedelta(days=30)):
                query = {} if day is None else {"as_of": day.isoformat()}
                answer = self.client.get(f"/v1/shops/{shop_id}/scorecard", params=query)
                assert answer.json() == self.reference.scorecard(shop_id, day)

    def teardown(self) -> None:
        """Compare all stored totals with a recount."""
        try:
            assert asyncio.run(differences(self.url)) == 0
        finally:
            self.stack.close()


def model(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Run steps in any order: the service must answer as the reference."""
    assert not control, "this row has no process of its own to patch"
    figures = Figures("model check")
    name, key = template(cluster)
    fields = {"cluster": cluster, "template": name, "key": key, "figures": figures}
    run_state_machine_as_test(
        type("Told", (ServiceAndReference,), fields),
        settings=settings(
            max_examples=8 * form.outages,
            stateful_step_count=16 + 4 * form.outages,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    figures.notes.append("faults: steps after which all was compared")
    return figures


def _verdicts(answer: Json) -> list[Any]:
    rejected = [(item["index"], item["code"]) for item in answer["rejected"]]
    return [answer[name] for name in ("received", "stored", "duplicates")] + [rejected]
