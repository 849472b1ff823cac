"""Make later versions of facts: revisions with other content, and retractions."""

import copy
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.reference.decoding import IDENTITIES, REVISION_MAX
from tests.reference.rules import Json
from tests.reference.stories import Story


class Version(NamedTuple):
    """A later version of a fact by its place among the facts, or a contradiction of it."""

    event: Json
    code: str
    fact: int
    revision: int


def later_versions(rng: random.Random, facts: list[Json], story: Story) -> Iterator[Version]:
    """Yield versions of some facts; a retraction comes with a contradiction now and then."""
    alike: defaultdict[tuple[str, str], list[Json]] = defaultdict(list)
    for event in facts:
        alike[event["subject"], event["type"]].append(event)
    for fact in rng.sample(range(len(facts)), len(facts) // 5):
        event = facts[fact]
        donors = alike[event["subject"], event["type"]]
        for revision in _revisions(rng):
            donor = rng.choice(donors)
            edited = edit(event, donor, revision, story.new_delivery())
            if rng.random() < 0.3:
                taken_back = retract(event, donor["time"], revision, story.new_delivery())
                yield Version(taken_back, "stored", fact, revision)
                if rng.random() < 0.3:
                    yield Version(edited, "conflict", fact, revision)
            else:
                yield Version(edited, "stored", fact, revision)


def edit(event: Json, donor: Json, revision: int, delivery: str) -> Json:
    """Return the content of another event under the identity of this one."""
    edited = copy.deepcopy(donor)
    identity = identity_of(event)
    edited |= {
        "id": delivery,
        "subject": event["subject"],
        "time": identity.get("time", donor["time"]),
    }
    for name in IDENTITIES[event["type"]]:
        edited["data"].pop(name, None)
    edited["data"] |= {name: value for name, value in identity.items() if name != "time"}
    edited["data"]["revision"] = revision
    return edited


def retract(event: Json, time: str, revision: int, delivery: str) -> Json:
    """Return the event that takes a fact back."""
    named = {"type": event["type"], "identity": identity_of(event), "revision": revision}
    return event | {"id": delivery, "type": "event.retracted", "time": time, "data": named}


def identity_of(event: Json) -> Json:
    """Return the members that tell the facts of an event's type apart."""
    members = event["data"] | {"time": event["time"]}
    return {name: members[name] for name in IDENTITIES[event["type"]] if name in members}


def _revisions(rng: random.Random) -> Iterable[int]:
    """Draw some revisions, in rising order."""
    drawn = (1, 2, rng.randint(3, 10**12), rng.randint(10**12, REVISION_MAX - 1), REVISION_MAX)
    return sorted(rng.sample(drawn, rng.choice((1, 1, 2, 3))))
