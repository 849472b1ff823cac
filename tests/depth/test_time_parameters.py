"""Parameters of the answers over time: each bad one is named, bounds are as the contract says."""

from tests.api.samples import parameters, problem
from tests.depth.session import Session
from tests.depth.statements import Statements

SHOP = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "taobao"}
SPAN = {"start": "2026-11-01", "end": "2026-11-21"}
GOAL = {"dimension": "logistics", "target": "4.8", "by": "2026-12-31", "stars": "5"}

BAD_DAYS = (
    "1999-12-31", "2026-11-22", "9999-12-31", "0000-01-01", "2026-02-29", "2026-13-01", "today",
    "", "20261120", "2026-11-2", "2026-W47-5", "2026-11-20T00:00:00Z", " 2026-11-20", "1793145600",
    "\uff12026-11-20", "-2026-11-20", "null",
)  # fmt: skip
BAD_INTEGERS = (
    "", "0", "-1", "+7", "7.0", "7.5", "1e1", "0x7", " 7", "7 ", "07", "\u0667", "true", "",
)  # fmt: skip

BAD: list[tuple[str, dict[str, str], str]] = [
    *(("trend", {**SPAN, "start": day}, "start") for day in BAD_DAYS),
    *(("trend", {**SPAN, "end": day}, "end") for day in BAD_DAYS),
    ("trend", {"end": "2026-11-21"}, "start"),
    ("trend", {"start": "2026-11-21"}, "end"),
    ("trend", {"start": "2026-11-21", "end": "2026-11-20"}, "end"),
    ("trend", {"start": "2025-10-17", "end": "2026-11-21"}, "end"),
    ("trend", {**SPAN, "as_of": "2026-11-20"}, "as_of"),
    ("trend", {**SPAN, "limit": "5"}, "limit"),
    *(("dsr/change", {**SPAN, "start": day}, "start") for day in BAD_DAYS),
    *(("dsr/change", {**SPAN, "end": day}, "end") for day in BAD_DAYS),
    ("dsr/change", {"end": "2026-11-21"}, "start"),
    ("dsr/change", {"start": "2026-11-20"}, "end"),
    ("dsr/change", {"start": "2026-11-20", "end": "2026-11-20"}, "end"),
    ("dsr/change", {"start": "2026-11-21", "end": "2026-11-20"}, "end"),
    ("dsr/change", {**SPAN, "as_of": "2026-11-20"}, "as_of"),
    *(("dsr/forecast", {"as_of": day}, "as_of") for day in BAD_DAYS),
    *(("dsr/forecast", {"days": days}, "days") for days in (*BAD_INTEGERS, "181", "1000000")),
    ("dsr/forecast", {"days": "9" * 30}, "days"),
    ("dsr/forecast", SPAN, "start"),
    *(("dsr/plan", {**GOAL, "as_of": day}, "as_of") for day in BAD_DAYS),
    *(("dsr/plan", {**GOAL, "stars": stars}, "stars") for stars in (*BAD_INTEGERS, "6")),
    *(
        ("dsr/plan", {**GOAL, "target": target}, "target")
        for target in (
            "5.00001", "0.99999", "0", "6", "+4", "-4", "4.", ".4", "4,8", "1e0", "4.800000",
            "4.8.0", "", " 4", "4 ", "4\n", "NaN", "Infinity", "\u0664", "4/1", "0x4", "4.8_0",
        )
    ),
    *(
        ("dsr/plan", {**GOAL, "by": day}, "by")
        for day in ("2026-11-20", "2027-11-22", "9999-12-31", "2026-02-29", "", "tomorrow")
    ),
    ("dsr/plan", {**GOAL, "as_of": "2026-11-01", "by": "2027-11-02"}, "by"),
    *(
        ("dsr/plan", {**GOAL, "dimension": name}, "dimension")
        for name in ("", "Logistics", "shipping", "0")
    ),
    *(
        ("dsr/plan", {key: value for key, value in GOAL.items() if key != name}, name)
        for name in GOAL
    ),
    *(("dsr", {"rules": name}, "rules") for name in ("nobody", "", "a b", "..", "x" * 65)),
    ("dsr", {"rules": "taobao", "window_days": "5"}, "window_days"),
    *(("sell-through", {"window_days": days}, "window_days") for days in (*BAD_INTEGERS, "366")),
    *(("reviews", {"start": day}, "start") for day in BAD_DAYS),
    *(("reviews", {"end": day}, "end") for day in BAD_DAYS),
    ("reviews", {"start": "2026-11-21", "end": "2026-11-20"}, "end"),
    *(("reviews", {"state": state}, "state") for state in ("", "all", "Counted", "late,capped")),
    ("reviews", {"as_of": "2026-11-20"}, "as_of"),
    *(("listings", {"view": view}, "view") for view in ("", "none", "On_sale", "0")),
    *(
        (path, {"as_of": day}, "as_of")
        for path in ("listings", "scorecard", "dsr", "tier", "sell-through")
        for day in BAD_DAYS
    ),
    ("scorecard", {"AS_OF": "2026-11-20"}, "AS_OF"),
    *(("listings", {"limit": limit}, "limit") for limit in (*BAD_INTEGERS, "501")),
    *(("reviews", {"limit": limit}, "limit") for limit in (*BAD_INTEGERS, "501")),
]  # fmt: skip

GOOD: list[tuple[str, dict[str, str]]] = [
    ("trend", {"start": "2026-11-21", "end": "2026-11-21"}),
    ("trend", {"start": "2025-10-18", "end": "2026-11-21"}),
    ("trend", {"start": "2000-01-01", "end": "2000-01-01"}),
    ("dsr/change", {"start": "2026-11-20", "end": "2026-11-21"}),
    ("dsr/change", {"start": "2000-01-01", "end": "2026-11-21"}),
    ("dsr/forecast", {}),
    ("dsr/forecast", {"days": "1"}),
    ("dsr/forecast", {"days": "180", "as_of": "2000-01-01"}),
    ("dsr/plan", {**GOAL, "by": "2026-11-21"}),
    ("dsr/plan", {**GOAL, "by": "2027-11-21"}),
    ("dsr/plan", {**GOAL, "as_of": "2000-01-01", "by": "2000-12-31"}),
    *(("dsr/plan", {**GOAL, "stars": stars}) for stars in ("1", "5")),
    *(
        ("dsr/plan", {**GOAL, "target": target})
        for target in ("1", "5", "5.0", "4.80000", "1.00001", "4.99999", "5.00000", "04.8")
    ),
    *(("dsr", {"rules": name}) for name in ("taobao", "pinduoduo")),
    *(("sell-through", {"window_days": days}) for days in ("1", "365")),
    ("reviews", {"start": "2000-01-01", "end": "2026-11-21", "limit": "500"}),
    ("reviews", {"start": "2026-11-21", "end": "2026-11-21", "limit": "1"}),
    ("listings", {"as_of": "2000-01-01", "limit": "500", "view": "slow"}),
    *(
        (path, {"as_of": day})
        for path in ("scorecard", "dsr", "tier", "sell-through", "listings", "dsr/forecast")
        for day in ("2000-01-01", "2024-02-29", "2026-11-21")
    ),
]


async def test_each_bad_parameter_is_named(service: Session) -> None:
    await service.put("shops/s", SHOP)
    for path, query, name in BAD:
        answer = await service.get(f"shops/s/{path}", **query)
        assert answer.status_code == 400, (path, query)
        assert parameters(answer) == [name], (path, query)


async def test_bounds_themselves_are_answered(service: Session) -> None:
    await service.put("shops/s", SHOP)
    for path, query in GOOD:
        answer = await service.get(f"shops/s/{path}", **query)
        assert answer.status_code == 200, (path, query, answer.text)
        assert answer.json()["as_of"] == query.get("as_of", answer.json()["as_of"])


async def test_a_parameter_given_twice_is_refused(service: Session) -> None:
    await service.put("shops/s", SHOP)
    for path, name in (("dsr", "as_of"), ("listings", "view"), ("dsr/forecast", "days")):
        answer = await service.client.get(f"/v1/shops/s/{path}?{name}=1&{name}=1")
        assert parameters(answer) == [name]


async def test_bad_parameters_are_told_before_unknown_shops(service: Session) -> None:
    for path, query, name in BAD:
        if query.get(name, "x") in {"", "x", "today"}:
            assert parameters(await service.get(f"shops/none/{path}", **query)) == [name]
    for path, query in GOOD:
        assert problem(await service.get(f"shops/none/{path}", **query), 404) == "not_found"


async def test_day_totals_are_read_by_one_query(service: Session) -> None:
    await service.put("shops/s", SHOP)
    statements = Statements()
    await statements.record_all(service.context)
    long: dict[str, dict[str, str]] = {
        "trend": {"start": "2025-10-18", "end": "2026-11-21"},
        "dsr/change": {"start": "2025-10-18", "end": "2026-11-21"},
        "dsr/forecast": {"days": "180"},
        "dsr/plan": GOAL,
    }
    for path, query in long.items():
        await statements.take_sent()
        await service.read(f"shops/s/{path}", **query)
        sent = await statements.take_sent()
        assert sum("daily_totals" in query for query in sent) == 1, sent
        assert len(sent) <= 6, sent
