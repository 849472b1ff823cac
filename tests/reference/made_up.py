"""The committed world: one random world with the reference's answers, as files.

`python -m tests.reference.made_up` (from the repository's root) writes the files anew. Answers
are keyed by request path; they hold for a service whose clock stands at `now`, that was given
the rules, shops, ladders, the events in file order, then the snapshots.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.reference.arithmetic import instant_text
from tests.reference.facts import DIMENSIONS
from tests.reference.listings import VIEWS
from tests.reference.rules import Json
from tests.reference.scores import Reference
from tests.reference.worlds import World, world

FOLDER = Path(__file__).parent
_SEED = 20_241_120
_SIZE = 420
_BUSY_SHOPS = 5


def made_up_world() -> World:
    """Make the world of the committed files."""
    return world(_SEED, _SIZE)


def made_up_files() -> dict[str, str]:
    """Return the content of every file by its name."""
    made = made_up_world()
    reference = made.empty_reference()
    posted = reference.post([sent.event for sent in made.events])
    for day in made.snapshot_days:
        reference.snapshot(day)
    events = "".join(json.dumps(sent.event) + "\n" for sent in made.events)
    expected = {
        "now": instant_text(made.now),
        "snapshots": [day.isoformat() for day in made.snapshot_days],
        "events": {"status": posted.status, **posted.body},
    }
    answers = dict(_answers(made, reference))
    return {
        "made_up.ndjson": events,
        "made_up_rules.json": _one_a_line(made.rules),
        "made_up_shops.json": json.dumps(made.shops, indent=1) + "\n",
        "made_up_ladders.json": json.dumps(made.ladders, indent=1) + "\n",
        "made_up_expected.json": _one_a_line({**expected, "answers": answers}),
    }


def write_files() -> None:
    """Replace the committed files."""
    for name, content in made_up_files().items():
        (FOLDER / name).write_text(content, encoding="utf-8", newline="\n")


def _one_a_line(members: Json) -> str:
    """Encode JSON with a line for each member and each answer."""
    lines = []
    for name, value in members.items():
        text = _one_a_line(value).rstrip() if name == "answers" else json.dumps(value)
        lines.append(f"{json.dumps(name)}:{text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _answers(made: World, reference: Reference) -> Iterator[tuple[str, Json]]:
    today = made.days[-1]
    for place, shop in enumerate(made.shops):
        shop_id = shop["shop_id"]
        for day in made.days[-3:]:
            yield _path(shop_id, "scorecard", as_of=day), reference.scorecard(shop_id, day)
        yield _path(shop_id, "dsr", as_of=today), reference.dsr(shop_id, today)
        yield _path(shop_id, "tier", as_of=today), reference.tier(shop_id, today)
        if place < _BUSY_SHOPS:
            yield from _dsr_answers(reference, shop_id, made.days)
            yield from _listing_answers(reference, shop_id, today)


def _dsr_answers(
    reference: Reference, shop_id: str, days: list[date]
) -> Iterator[tuple[str, Json]]:
    today = days[-1]
    earlier = today - timedelta(days=20)
    for day in days[:-1]:
        yield _path(shop_id, "dsr", as_of=day), reference.dsr(shop_id, day)
    for name in ("pinduoduo", "strict"):
        path = _path(shop_id, "dsr", as_of=today, rules=name)
        yield path, reference.dsr(shop_id, today, name)
    for state in ("late", "capped", "removed"):
        path = _path(shop_id, "reviews", state=state, limit=500)
        yield path, reference.reviews(shop_id, state)
    path = _path(shop_id, "reviews", start=earlier, end=today, limit=500)
    yield path, reference.reviews(shop_id, None, earlier, today)
    span = {"start": earlier, "end": today}
    yield _path(shop_id, "trend", **span), reference.trend(shop_id, earlier, today)
    yield _path(shop_id, "dsr/change", **span), reference.change(shop_id, earlier, today)
    path = _path(shop_id, "dsr/forecast", as_of=today, days=40)
    yield path, reference.forecast(shop_id, today, 40)
    for dimension, target, stars in zip(
        DIMENSIONS, ("4.5", "4", "1.00001"), (5, 4, 1), strict=True
    ):
        by = today + timedelta(days=30)
        answer = reference.plan(
            shop_id, today, dimension=dimension, target=target, by=by, stars=stars
        )
        goal: dict[str, date | str | int] = {
            "dimension": dimension,
            "target": target,
            "by": by,
            "stars": stars,
        }
        yield _path(shop_id, "dsr/plan", as_of=today, **goal), answer


def _listing_answers(reference: Reference, shop_id: str, today: date) -> Iterator[tuple[str, Json]]:
    for view in VIEWS:
        path = _path(shop_id, "listings", as_of=today, view=view, limit=500)
        yield path, reference.listings(shop_id, today, view)
    path = _path(shop_id, "sell-through", as_of=today, window_days=90)
    yield path, reference.sell_through(shop_id, today, 90)


def _path(shop_id: str, what: str, **query: date | str | int) -> str:
    return f"/v1/shops/{quote(shop_id)}/{what}?{urlencode(query)}"


if __name__ == "__main__":
    write_files()
