"""The contract: an OpenAPI 3.1 document made from the handlers and what they say of themselves.

Beyond an operation's own problems, every operation can meet `internal`; one that needs a key
`unauthorized`, `forbidden`, `rate_limited` and `unavailable`; one with query parameters, or none by
declaration, `bad_parameter`; one with a body `bad_request`, `unsupported_media_type` and
`content_too_large`. HEAD is not listed: it goes with every GET.
"""

import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from api import glossary
from api.operations import Endpoint, Lines, Operation
from api.problems import KINDS, MEDIA_TYPE, Document
from api.schemas import Schema, Schemas

_PARAMETER = re.compile(r"\{(\w+):\w+\}")
_REFUSED = "all_refused"


class Shown(msgspec.Struct, frozen=True):
    """One request with its answer, as the contract shows it.

    A body is text or what its JSON decodes to, and is shown where there is a media type.
    """

    name: str
    summary: str
    operation: str
    status: int
    answer: Any
    media_type: str | None = None
    body: Any = None
    parameters: Mapping[str, Any] = {}


class Served(msgspec.Struct, frozen=True):
    """An operation with where it is served and the words its code has for it."""

    spec: Operation
    method: str
    path: str
    description: str
    tag: str

    @property
    def path_parameters(self) -> list[str]:
        """Their names, in order."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def is_conditional(self) -> bool:
        """Whether the answer has an entity tag."""
        return self.method == "get" and self.spec.scope is not None

    @property
    def problems(self) -> dict[int, list[str]]:
        """Codes of all problems it can meet, by status."""
        codes = {"internal", *self.spec.problems}
        if self.spec.scope is not None:
            codes |= {"unauthorized", "forbidden", "rate_limited", "unavailable"}
        if self.spec.query is not None:
            codes |= {"bad_parameter"}
        if self.spec.bodies:
            codes |= {"bad_request", "unsupported_media_type", "content_too_large"}
        found: defaultdict[int, list[str]] = defaultdict(list)
        for code in sorted(codes, key=lambda code: (KINDS[code].status, code)):
            found[KINDS[code].status].append(code)
        return found


def served(endpoints: Iterable[Endpoint]) -> list[Served]:
    """What the contract speaks of, in the order of the endpoints."""
    return list(_served(endpoints))


def contract(endpoints: Iterable[Endpoint], shown: Sequence[Shown] = ()) -> Schema:
    """The document; members come in a fixed order."""
    operations = served(endpoints)
    tags = {one.tag: _first_line(sys.modules[f"api.{one.tag}"].__doc__) for one in operations}
    writer = _Writer(operations, shown)
    paths: dict[str, Schema] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method] = writer.operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": glossary.TITLE,
            "summary": glossary.SUMMARY,
            "description": glossary.DESCRIPTION,
            "contact": {"name": "Whoever runs this service"},
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
            "version": glossary.VERSION,
        },
        "servers": [{"url": "/", "description": "The service that answers with this document"}],
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(writer.schemas.components.items())),
            "responses": dict(sorted(writer.responses.items())),
            "headers": {
                name: _header(name, text) for name, text in glossary.RESPONSE_HEADERS.items()
            },
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": glossary.KEY}
            },
        },
    }


class _Writer:
    """Writes operations; what they share is collected as components."""

    def __init__(self, operations: Sequence[Served], shown: Sequence[Shown]) -> None:
        self.responses: dict[str, Schema] = {}
        self._shown = shown
        specs = [one.spec for one in operations]
        self.schemas = Schemas(
            sent=[
                *(_sent(kind) for spec in specs for kind in spec.bodies.values()),
                *glossary.PATH_TYPES.values(),
            ],
            answered=[
                Document,
                *(kind for spec in specs for kind in spec.answers.values() if kind is not None),
            ],
        )

    def operation(self, one: Served) -> Schema:
        """One operation as the document has it."""
        spec = one.spec
        needs = f"Needs a key with the scope `{spec.scope}`." if spec.scope else "Needs no key."
        found: Schema = {
            "operationId": spec.name,
            "summary": spec.summary,
            "description": f"{one.description}\n\n{needs}",
            "tags": [one.tag],
            "security": [{"key": []}] if spec.scope else [],
        }
        if spec.scope:
            found["x-scope"] = spec.scope
        if parameters := [*self._parameters(one)]:
            found["parameters"] = parameters
        if spec.bodies:
            found["requestBody"] = {
                "required": spec.body_required,
                "content": {
                    media_type: self._request(one, media_type, kind)
                    for media_type, kind in spec.bodies.items()
                },
            }
        found["responses"] = dict(sorted(self._answers(one)))
        return found

    def _parameters(self, one: Served) -> Iterator[Schema]:
        for name in one.path_parameters:
            kind = glossary.PATH_TYPES.get(name)
            schema = {"type": "string"} if kind is None else self.schemas.sent(kind)
            yield self._parameter(one, name, "path", schema, required=True)
        if one.spec.query is not None:
            query = self.schemas.members(one.spec.query)
            for name, schema in query.get("properties", {}).items():
                required = name in query.get("required", [])
                yield self._parameter(one, name, "query", schema, required=required)
        conditional = ("If-None-Match",) if one.is_conditional else ()
        for name in (*conditional, *one.spec.headers):
            text, values = glossary.REQUEST_HEADERS[name]
            schema = {"type": "string", "description": text} | ({"enum": values} if values else {})
            yield self._parameter(one, name, "header", schema, required=False)

    def _parameter(
        self, one: Served, name: str, where: str, schema: Schema, *, required: bool
    ) -> Schema:
        found = {
            "name": name,
            "in": where,
            "description": schema.get("description") or glossary.PARAMETERS.get(name, ""),
            "required": required,
            "schema": {key: value for key, value in schema.items() if key != "description"},
        }
        examples = {
            example.name: {"value": example.parameters[name]}
            for example in self._shown
            if example.operation == one.spec.name and name in example.parameters
        }
        return found | ({"examples": examples} if examples else {})

    def _request(self, one: Served, media_type: str, kind: object) -> Schema:
        schema = self.schemas.sent(_sent(kind))
        if isinstance(kind, Lines):
            text = "One JSON value a line, in UTF-8; blank lines are skipped."
            schema = {"type": "string", "description": text, "x-line-schema": schema}
        examples = {
            example.name: {"summary": example.summary, "value": example.body}
            for example in self._shown
            if example.operation == one.spec.name and example.media_type == media_type
        }
        return {"schema": schema} | ({"examples": examples} if examples else {})

    def _answers(self, one: Served) -> Iterator[tuple[str, Schema]]:
        conditional = ["ETag", "Cache-Control"] if one.is_conditional else []
        optional = ["Preference-Applied"] if "Prefer" in one.spec.headers else []
        limited = _LIMITED if one.spec.scope is not None else ()
        for status, kind in one.spec.answers.items():
            found: Schema = {
                "description": glossary.ANSWERS[status],
                "headers": _headers("X-Request-Id", *conditional, *optional, *limited),
            }
            if kind is not None:
                examples = self._examples(one, status)
                schema = self.schemas.answered(kind)
                found["content"] = {one.spec.media_type: {"schema": schema, **examples}}
            yield str(status), found
        if conditional:
            headers = _headers("X-Request-Id", *conditional, *limited)
            yield "304", {"description": glossary.ANSWERS[304], "headers": headers}
        for status, codes in one.problems.items():
            yield str(status), self._problem(one, status, codes, optional)

    def _problem(
        self, one: Served, status: int, codes: Sequence[str], headers: Sequence[str]
    ) -> Schema:
        refused = _REFUSED in codes
        name = "_or_".join(codes)
        if refused:
            name = f"{name}_{one.spec.name}"
        if name not in self.responses:
            headers = [*_PROBLEM_HEADERS.get(status, ()), *(headers if refused else ())]
            of_answer = one.spec.answers.get(207) if refused else None
            self.responses[name] = {
                "description": " ".join(f"`{code}`: {KINDS[code].meaning}" for code in codes),
                "headers": _headers("X-Request-Id", *headers),
                "content": {MEDIA_TYPE: {"schema": self._problem_schema(status, codes, of_answer)}},
            }
        answered = self.responses[name]["content"][MEDIA_TYPE]
        examples = self._examples(one, status).get("examples", {})
        if examples:
            answered["examples"] = answered.get("examples", {}) | examples
        return {"$ref": f"#/components/responses/{name}"}

    def _problem_schema(self, status: int, codes: Sequence[str], refused: object) -> Schema:
        problem = self.schemas.answered(Document)

        def of(codes: Sequence[str], *more: Schema) -> Schema:
            members = {"status": {"const": status}, "code": {"enum": list(codes)}}
            return {"allOf": [problem, *more, {"type": "object", "properties": members}]}

        if refused is None:
            return of(codes)
        whole = of([_REFUSED], self.schemas.answered(refused))
        others = [code for code in codes if code != _REFUSED]
        return {"oneOf": [of(others), whole]} if others else whole

    def _examples(self, one: Served, status: int) -> Schema:
        found = {
            example.name: {"summary": example.summary, "value": example.answer}
            for example in self._shown
            if example.operation == one.spec.name and example.status == status
        }
        return {"examples": found} if found else {}


_LIMITED = ("RateLimit", "RateLimit-Policy")

_PROBLEM_HEADERS: Mapping[int, Sequence[str]] = {
    401: ("WWW-Authenticate",),
    415: ("Accept-Post",),
    429: ("Retry-After", *_LIMITED),
    503: ("Retry-After",),
}


def _served(endpoints: Iterable[Endpoint]) -> Iterator[Served]:
    for method, path, spec, handler in endpoints:
        yield Served(
            spec=spec,
            method=method.lower(),
            path=_PARAMETER.sub(r"{\1}", path),
            description=inspect.cleandoc(handler.__doc__ or ""),
            tag=handler.__module__.removeprefix("api."),
        )


def _sent(body: object) -> object:
    return body.item if isinstance(body, Lines) else body


def _header(name: str, text: str) -> Schema:
    return {
        "description": text,
        "required": name not in _OPTIONAL,
        "schema": {"type": "integer" if name == "Retry-After" else "string"},
    }


_OPTIONAL = ("Accept-Post", "Preference-Applied", *_LIMITED)


def _headers(*names: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
