"""What the demo prints is true, can be asked for again, and leaves nothing behind."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.demo.conftest import Demo
from tests.harness.client import get_status, open_client

DIMENSIONS = ("description", "service", "logistics")
TARGET = 4.8


def ordinary_user() -> str | None:
    """Return an account that may run this interpreter, if this process is root's."""
    if os.geteuid() != 0:
        return None
    try:
        subprocess.run([sys.executable, "-c", ""], user="nobody", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return "nobody"


def ask(line: str) -> tuple[int, Any]:
    """Run a printed line as it stands; return the status and the body."""
    if shutil.which("curl"):
        status = " -w '\\n%{http_code}'"
        ran = subprocess.run(
            ["/bin/sh", "-c", line + status], check=True, stdout=subprocess.PIPE, text=True
        )
        body, _, code = ran.stdout.rpartition("\n")
        return int(code), json.loads(body)
    program, silently, option, header, url = shlex.split(line)
    assert (program, silently, option) == ("curl", "-s", "-H")
    name, _, value = header.partition(": ")
    with open_client("", value.removeprefix("Bearer ")) as client:
        answer = client.get(url)
    assert name == "Authorization"
    return answer.status_code, answer.json()


def rows_of_scorecard(answer: Any) -> list[str]:
    tier, goods, rules = answer["tier"], answer["sell_through"], answer["rules"]
    scores = {name: answer["dsr"][name] for name in DIMENSIONS}
    day = f"as of {answer['as_of']} in {answer['time_zone']}"
    return [
        *(
            f"{name} {of['score']:.5f} {of['count']} {' '.join(map(str, of['histogram']))}"
            for name, of in scores.items()
        ),
        f"tier {tier['level']}, {tier['band']} {tier['sales']} {tier['currency']} paid",
        f"{goods['rate']:.4%} {goods['sold']} of {goods['on_sale']} listings on sale sold",
        f"{day}, rules {rules['name']} version {rules['version']}",
    ]


def rows_of_dsr(answer: Any) -> list[str]:
    scores = {name: answer["dsr"][name] for name in DIMENSIONS}
    return [
        f"{name} {of['score']:.5f} {peers['shops']} {peers['mean']:.5f} "
        f"{peers['relation']} {peers['percent']:.2f}% {peers['flag']}"
        for name, of in scores.items()
        if (peers := of["peers"])
    ]


def rows_of_tier(answer: Any) -> list[str]:
    tier = answer["tier"]
    return [f"tier {tier['level']}, {tier['band']} {tier['sales']} {tier['currency']} paid"]


def rows_of_sell_through(answer: Any) -> list[str]:
    goods = answer["sell_through"]
    return [f"sell-through {goods['rate']:.4%} {goods['sold']} of {goods['on_sale']} listings"]


def rows_of_change(answer: Any) -> list[str]:
    of = answer["logistics"]
    flows = {way: of[way] for way in ("entered", "left")}
    return [
        f"Why logistics fell: {of['before']:.5f} on",
        f"{of['after']:.5f} on {answer['as_of']}, a change of {of['delta']:.5f}",
        *(
            f"{way} {flow['count']} ratings {flow['sum']} stars effect {flow['effect']:.5f}"
            for way, flow in flows.items()
        ),
    ]


def rows_of_forecast(answer: Any) -> list[str]:
    rows = []
    for label, reading in (("comes", "silent"), ("come as of late", "steady")):
        ahead = answer[reading]["logistics"]
        known = [score for score in ahead if score is not None]
        worst = answer["dates"][known.index(min(known))]
        last_below = max(index for index, score in enumerate(known) if score < TARGET)
        back = answer["dates"][last_below + 1]
        rows.append(f"{label} lowest {min(known):.5f} on {worst} {TARGET} from {back} on")
    return rows


def rows_of_plan(answer: Any) -> list[str]:
    at = answer["at"]
    then = f"then {at['score']:.5f} from {at['count']} ratings"
    return [f"{answer['needed']} ratings of 5 stars; {then}"]


def rows_of_scorecards(answer: Any) -> list[str]:
    cards = [item["scorecard"] for item in answer["items"]]
    return [
        f"{card['shop_id']} "
        + "".join(f"{card['dsr'][name]['score']:.5f} " for name in DIMENSIONS)
        + f"{card['tier']['level']} {card['sell_through']['rate']:.4%}"
        for card in cards
    ]


ROWS: dict[str, Callable[[Any], list[str]]] = {
    "scorecard": rows_of_scorecard,
    "dsr": rows_of_dsr,
    "tier": rows_of_tier,
    "sell-through": rows_of_sell_through,
    "change": rows_of_change,
    "forecast": rows_of_forecast,
    "plan": rows_of_plan,
    "scorecards": rows_of_scorecards,
}
"""What the print must say, blanks aside, by the last part of a path."""


def test_every_printed_line_returns_what_was_printed(start_demo: Callable[..., Demo]) -> None:
    demo = start_demo()
    printed = demo.until("Serving on")
    said = " ".join(printed.split())
    names = set()
    for line in printed.splitlines():
        if not line.startswith("curl "):
            continue
        url = urlsplit(shlex.split(line)[-1])
        assert url.port == demo.port
        status, answer = ask(line)
        assert status == 200
        name = url.path.rpartition("/")[2]
        for row in ROWS[name](answer):
            assert row in said
        names.add(name)
    assert names == ROWS.keys()
    docs = f"http://127.0.0.1:{demo.port}/docs"
    assert docs in printed.split()
    assert get_status(docs) == 200
    assert demo.interrupt() == 0
    assert demo.left_behind() == []


def test_sigterm_ends_it_for_an_ordinary_user_too(start_demo: Callable[..., Demo]) -> None:
    demo = start_demo(ordinary_user())
    demo.until("Serving on")
    assert demo.terminate() == 143
    assert demo.left_behind() == []


def test_ctrl_c_while_it_starts_leaves_nothing(start_demo: Callable[..., Demo]) -> None:
    demo = start_demo()
    demo.until_its_server_starts()
    assert demo.interrupt() == 130
    assert demo.left_behind() == []


def test_a_taken_port_is_named_before_anything_starts(
    start_demo: Callable[..., Demo], free_port: int
) -> None:
    with socket.create_server(("127.0.0.1", free_port)):
        demo = start_demo()
        assert demo.end() == 2
        [line] = demo.printed.splitlines()
        assert line.startswith(
            f"Error: Cannot listen on 127.0.0.1:{free_port}: Address already in use by process "
            f"{os.getpid()} "
        )
        assert not list(Path(demo.temporary).iterdir())
