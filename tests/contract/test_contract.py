"""The committed contract is what the code says, and what a linter asks of it."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
from click.testing import CliRunner
from litestar import Litestar
from litestar.testing import AsyncTestClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from api import glossary
from api.operations import operation_id
from api.problems import KINDS
from api.routes import ROUTES
from api.schemas import make_schemas
from shopdsr.cli import main
from tests.contract.examples import steps
from tests.contract.regenerate import FILE, generated
from tests.contract.validation import document, validator

Json = dict[str, Any]
Client = AsyncTestClient[Litestar]


def operations() -> list[tuple[str, Json]]:
    """Return every operation of the file by its method and path."""
    return [
        (f"{method.upper()} {path}", entry)
        for path, item in document()["paths"].items()
        for method, entry in item.items()
    ]


def answers() -> Iterator[tuple[str, str, Json]]:
    """Yield operation, status and content of every response."""
    for name, entry in operations():
        for status, answer in entry["responses"].items():
            if "$ref" in answer:
                shared = answer["$ref"].rpartition("/")[2]
                yield name, status, document()["components"]["responses"][shared]
            else:
                yield name, status, answer


def test_the_file_is_what_the_code_and_the_examples_say() -> None:
    current = FILE.read_text("utf-8") == generated()
    assert current, "run: python -m tests.contract.regenerate"


def test_every_list_of_an_answer_is_in_pages_or_has_a_bound() -> None:
    endless = [
        f"{name}{place}"
        for name, status, answer in answers()
        if status < "300"
        for content in answer.get("content", {}).values()
        for place in _endless(content["schema"])
    ]
    assert endless == []


def test_a_list_without_a_page_or_a_bound_is_noticed() -> None:
    endless = {"type": "array", "items": {"type": "string"}}
    page = {"properties": {"items": endless, "next_cursor": {"type": "string"}}}
    nested = {"properties": {"items": {"type": "array", "items": endless}, "next_cursor": {}}}
    assert list(_endless({"properties": {"items": endless}})) == ["/items"]
    assert list(_endless({"anyOf": [{"type": "null"}, endless]})) == [""]
    assert list(_endless({"additionalProperties": {"type": "string"}})) == ["/*"]
    assert list(_endless(page)) == []
    assert list(_endless(nested)) == ["/items/*"]


async def test_the_service_answers_with_the_file(anonymous: Client) -> None:
    assert (await anonymous.get("/openapi.json")).content == FILE.read_bytes()


def test_the_command_prints_the_file() -> None:
    assert CliRunner().invoke(main, ["openapi"]).output == FILE.read_text("utf-8")


def test_it_is_valid_openapi() -> None:
    errors = list(OpenAPIV31SpecValidator(document()).iter_errors())
    assert errors == []


def test_every_handler_is_in_it_under_a_name_of_its_own() -> None:
    names = [entry["operationId"] for _, entry in operations()]
    handlers = {
        operation_id(handler.fn)
        for router in ROUTES
        for route in router.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.fn.__module__.startswith("api.") and handler.include_in_schema is not False
    }
    assert sorted(names) == sorted(handlers)


def test_every_operation_says_what_it_is_for() -> None:
    silent = [
        name
        for name, entry in operations()
        if not (entry["summary"] and entry["description"][0].isupper() and entry["tags"])
    ]
    assert silent == []


def test_summaries_do_not_end_in_a_stop_and_descriptions_do() -> None:
    wrong = [
        name
        for name, entry in operations()
        if entry["summary"].endswith(".") or not entry["description"].endswith(".")
    ]
    assert wrong == []


def test_every_tag_is_described_and_used() -> None:
    used = {tag for _, entry in operations() for tag in entry["tags"]}
    described = {tag["name"] for tag in document()["tags"] if tag["description"]}
    assert used == described


def test_every_parameter_is_described_and_every_path_parameter_declared() -> None:
    for name, entry in operations():
        parameters = entry.get("parameters", [])
        assert all(parameter["description"] for parameter in parameters), name
        in_path = {item["name"] for item in parameters if item["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", name)), name


def test_no_text_is_kept_for_a_header_that_is_gone() -> None:
    sent = {item["name"] for _, entry in operations() for item in entry.get("parameters", [])}
    assert sent >= glossary.REQUEST_HEADERS.keys()


def test_every_error_is_a_problem_document() -> None:
    for name, status, answer in answers():
        if status >= "400":
            assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_every_operation_can_meet_a_bug_and_one_that_needs_a_key_its_refusal() -> None:
    for name, entry in operations():
        assert "500" in entry["responses"], name
        assert bool(entry["security"]) == (
            {"401", "403", "429", "503"} <= entry["responses"].keys()
        ), name


def test_every_kind_of_problem_is_listed_somewhere() -> None:
    responses = json.dumps(document()["components"]["responses"])
    enums = re.findall(r'"code": \{"enum": (\[.*?\])', responses)
    listed = {code for enum in enums for code in json.loads(enum)}
    assert listed == KINDS.keys() - {"method_not_allowed"}


def test_every_answer_has_a_request_id() -> None:
    assert all("X-Request-Id" in answer["headers"] for _, _, answer in answers())


def test_every_component_is_used() -> None:
    text = json.dumps(document())
    for kind, components in document()["components"].items():
        if kind != "securitySchemes":
            unused = [name for name in components if f'"#/components/{kind}/{name}"' not in text]
            assert unused == []


def test_event_types_are_told_apart_by_type() -> None:
    event = document()["components"]["schemas"]["Event"]
    assert event["discriminator"]["propertyName"] == "type"
    assert sorted(event["discriminator"]["mapping"].values()) == sorted(
        entry["$ref"] for entry in event["oneOf"]
    )
    for tag, ref in event["discriminator"]["mapping"].items():
        schema = document()["components"]["schemas"][ref.rpartition("/")[2]]
        assert schema["properties"]["type"]["enum"] == [tag]


def test_instants_and_days_say_their_format() -> None:
    for name, schema in document()["components"]["schemas"].items():
        for member, of in schema.get("properties", {}).items():
            if member.endswith("_at") or member in ("at", "time"):
                assert {"type": "string"} not in [of, *of.get("anyOf", [])], (name, member)


def test_a_histogram_is_five_numbers() -> None:
    histogram = {"$ref": "#/components/schemas/Histogram"}
    assert validator(histogram).is_valid([0, 0, 1, 0, 2])
    assert not validator(histogram).is_valid([0, 0, 1, 0])
    assert not validator(histogram).is_valid([0, 0, 1, 0, 2, 0])


def test_only_what_is_sent_is_closed() -> None:
    sent = _referred([entry["requestBody"] for _, entry in operations() if "requestBody" in entry])
    answered = _referred([answer for _, _, answer in answers()])
    closed = {
        name
        for name, schema in document()["components"]["schemas"].items()
        if schema.get("additionalProperties") is False
    }
    assert closed <= sent - answered
    assert {"ShopDraft", "IdentifiedDraft", "LadderDraft", "KeyDraft", "Rules"} <= closed


def test_it_names_no_machine() -> None:
    places = "|".join(re.escape(f"{place}/") for place in (FILE.parents[1], Path.home()))
    named = rf"https?://|localhost|127\.0\.0\.1|{places}"
    assert re.findall(named, FILE.read_text("utf-8")) == []


def test_every_example_fits_its_schema() -> None:
    for name, entry in operations():
        for content in entry.get("requestBody", {}).get("content", {}).values():
            _examples_fit(name, content)
        for parameter in entry.get("parameters", []):
            _examples_fit(name, parameter)
    for name, _, answer in answers():
        for content in answer.get("content", {}).values():
            _examples_fit(name, content)


def test_every_operation_with_json_is_shown_by_an_example() -> None:
    shown = {step.operation for step in steps()}
    untold = [
        entry["operationId"]
        for _, entry in operations()
        if _media_types(entry) <= {"application/json"}
        and entry["operationId"] not in shown | {"getContract", "deleteKey"}
    ]
    assert untold == []


class Outing(msgspec.Struct, forbid_unknown_fields=True):
    """A made-up body."""

    on: date
    at: datetime | None = None


class Trip(msgspec.Struct):
    """A made-up answer."""

    outing: Outing
    note: str = ""


def test_what_is_sent_and_answered_in_two_shapes_has_two_components() -> None:
    _, _, schemas = make_schemas([Outing], [Trip])
    assert schemas["Outing"]["required"] == ["on"]
    assert schemas["Outing"]["additionalProperties"] is False
    assert schemas["OutingAnswer"]["required"] == ["on", "at"]
    assert "additionalProperties" not in schemas["OutingAnswer"]
    assert schemas["Trip"]["properties"]["outing"] == {"$ref": "#/components/schemas/OutingAnswer"}


def test_what_an_operation_has_decides_which_problems_it_meets() -> None:
    by_name = {entry["operationId"]: sorted(entry["responses"]) for _, entry in operations()}
    with_a_key = ["401", "403", "429", "500", "503"]
    assert by_name["getLive"] == ["200", "500"]
    assert by_name["listKeys"] == sorted(["200", "304", "400", *with_a_key])
    assert by_name["putLadder"] == sorted(
        ["200", "201", "400", "409", "413", "415", "422", *with_a_key]
    )


def test_no_parameter_may_be_null_nor_says_more_than_tools_know() -> None:
    for name, entry in operations():
        for parameter in entry.get("parameters", []):
            assert "null" not in json.dumps(parameter["schema"]), name
            assert parameter.keys() <= {
                *("name", "in", "description", "required", "schema", "examples"),
            }
            bounds = [parameter["schema"].get(bound, 0) for bound in ("minimum", "maximum")]
            assert all(isinstance(bound, int) for bound in bounds), name


def _endless(schema: Json, place: str = "", *, in_pages: bool = False) -> Iterator[str]:
    """Yield the places of lists and maps that may have any number of members."""
    if reference := schema.get("$ref"):
        schema = document()["components"]["schemas"][reference.rpartition("/")[2]]
    for kind in ("anyOf", "oneOf", "allOf"):
        for choice in schema.get(kind, ()):
            yield from _endless(choice, place, in_pages=in_pages)
    if schema.get("type") == "array":
        if not in_pages and "maxItems" not in schema:
            yield place
        yield from _endless(schema["items"], f"{place}/*")
    members = schema.get("properties", {})
    for name, member in members.items():
        paged = name == "items" and "next_cursor" in members
        yield from _endless(member, f"{place}/{name}", in_pages=paged)
    if isinstance(schema.get("additionalProperties"), dict):
        yield f"{place}/*"


def _media_types(entry: Json) -> set[str]:
    return {of for status, answer in entry["responses"].items() for of in answer.get("content", ())}


def _examples_fit(name: str, content: Json) -> None:
    fits = validator(content["schema"])
    for title, example in content.get("examples", {}).items():
        errors: list[jsonschema_rs.ValidationError] = list(fits.iter_errors(example["value"]))
        assert errors == [], (name, title)


def _referred(nodes: list[Json]) -> set[str]:
    schemas = document()["components"]["schemas"]
    result: set[str] = set()
    left = re.findall(r'schemas/(\w+)"', json.dumps(nodes))
    while left:
        name = left.pop()
        if name not in result:
            result.add(name)
            left += re.findall(r'schemas/(\w+)"', json.dumps(schemas[name]))
    return result
