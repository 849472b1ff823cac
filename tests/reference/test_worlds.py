"""Worlds are what they say, and the committed one is what its command makes."""

import json
from collections.abc import Sequence

import pytest

from tests.reference.made_up import FOLDER, made_up_files
from tests.reference.scores import Reference
from tests.reference.worlds import Sent, expected_verdicts, shuffled, world

_SEEDS = (1, 2, 3)
_VERDICTS = {
    "stored",
    "duplicate",
    "malformed",
    "invalid",
    "unknown_type",
    "unknown_shop",
    "time_out_of_range",
    "conflict",
}


def _verdicts_over_the_wire(reference: Reference, stream: Sequence[Sent]) -> list[str]:
    events = json.loads(json.dumps([sent.event for sent in stream]))
    return list(reference.post(events).verdicts)


@pytest.mark.parametrize("seed", _SEEDS)
def test_every_event_of_a_world_gets_the_verdict_it_was_made_for(seed: int) -> None:
    made = world(seed, clock_edges=True)
    for stream in (made.events, shuffled(made.events, seed)):
        verdicts = _verdicts_over_the_wire(made.empty_reference(), stream)
        assert verdicts == expected_verdicts(stream)
        assert set(verdicts) == _VERDICTS


@pytest.mark.parametrize("seed", _SEEDS)
def test_order_and_repetition_do_not_change_an_answer(seed: int) -> None:
    made = world(seed)
    ordered = made.reference()
    disordered = made.reference(shuffled(made.events, seed))
    for shop_id in ordered.shop_ids:
        assert ordered.reviews(shop_id) == disordered.reviews(shop_id)
        for day in made.days:
            assert ordered.scorecard(shop_id, day) == disordered.scorecard(shop_id, day)
            assert ordered.dsr(shop_id, day) == disordered.dsr(shop_id, day)
            assert ordered.tier(shop_id, day) == disordered.tier(shop_id, day)
            assert ordered.listings(shop_id, day) == disordered.listings(shop_id, day)


def test_the_same_seed_makes_the_same_world() -> None:
    assert world(4) == world(4)
    assert world(4).events != world(5).events


def test_a_shuffled_stream_is_half_as_long_again() -> None:
    events = world(6).events
    stream = shuffled(events, 6)
    assert 1.4 < len(stream) / len(events) < 1.6
    assert {id(sent) for sent in stream} == {id(sent) for sent in events}


def test_worlds_reach_every_state_and_status() -> None:
    states: set[str] = set()
    statuses: set[str] = set()
    levels: set[int | None] = set()
    views: set[str] = set()
    for seed in _SEEDS:
        made = world(seed, 800)
        reference = made.reference()
        for shop_id in reference.shop_ids:
            states |= {item["state"] for item in reference.reviews(shop_id)["items"]}
            for day in made.days[-2:]:
                dsr = reference.dsr(shop_id, day)["dsr"]
                statuses |= {dsr["service"]["status"], dsr["service"]["peers"]["status"]}
                statuses.add(str(dsr["service"]["peers"]["flag"]))
                tier = reference.tier(shop_id, day)["tier"]
                levels.add(tier["level"])
                statuses.add(tier["ladder"]["source"] if tier["ladder"] else tier["status"])
                for view in ("zero_payment", "slow", "on_sale"):
                    if reference.listings(shop_id, day, view)["items"]:
                        views.add(view)
    assert states == {"counted", "late", "capped", "removed"}
    assert statuses >= {"none", "insufficient", "ok", "no_score", "too_few_peers", "red", "green"}
    assert statuses >= {"amounts", "quantiles", "no_ladder"}
    assert levels >= {None, 1, 2, 3, 4, 5}
    assert views == {"zero_payment", "slow", "on_sale"}


def test_the_committed_files_are_what_the_command_writes() -> None:
    committed = {
        path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("made_up*.*json")
    }
    assert committed == made_up_files()
