"""The contract: Litestar's OpenAPI document, finished with what Litestar cannot say.

Components are msgspec's, so that unions have discriminators. What is sent is closed where the
service refuses unknown members; answers are open, since members may be added to them, and members
with a default are there all the same. HEAD is not listed: it goes with every GET.

Beyond an operation's own problems, every operation can meet `internal`; one that needs a key
`unauthorized`, `forbidden`, `rate_limited`, `unavailable` and `bad_parameter`; one with a body
`bad_request`, `unsupported_media_type` and `content_too_large`.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import Annotated, Any, TypeAlias, get_args, get_origin, get_type_hints

import msgspec
from litestar import Litestar, MediaType, Response
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Contact, License, SecurityScheme, Server, Tag
from msgspec import Meta

from api import events, glossary, shops
from api.operations import JSON, operation_id
from api.problems import KINDS, MEDIA_TYPE, Document
from api.request import ApiRequest
from api.routes import ROUTES, TAGS
from api.schemas import make_schemas, tidy
from domain.facts import Event
from domain.shops import IdentifiedDraft

Json: TypeAlias = dict[str, Any]

BODY_TYPES: Mapping[str, Mapping[str, Any]] = {
    "postEvents": {
        events.BATCH: list[Event],
        events.SINGLE: Event,
        JSON: Event | list[Event],
        events.NDJSON: Event,
    },
    "postShops": {JSON: Annotated[list[IdentifiedDraft], Meta(max_length=shops.SHOPS_MAX)]},
}
"""Types of the bodies that handlers decode item by item, where Litestar sees no `data`."""

_REFUSED = "all_refused"
_LIMITED = ("RateLimit", "RateLimit-Policy")
_CONDITIONAL = ("ETag", "Cache-Control")
_PROBLEM_HEADERS: Mapping[int, Sequence[str]] = {
    401: ("WWW-Authenticate",),
    415: ("Accept-Post",),
    429: ("Retry-After", *_LIMITED),
    503: ("Retry-After",),
}


class Example(msgspec.Struct, frozen=True):
    """A request with its answer; its body is shown where there is a media type."""

    name: str
    summary: str
    operation: str
    status: int
    answer: Any
    media_type: str | None = None
    body: Any = None
    parameters: Mapping[str, Any] = {}


def contract(examples: Sequence[Example] = ()) -> Json:
    """Return the document; members come in a fixed order."""
    app = Litestar(ROUTES, request_class=ApiRequest, openapi_config=_CONFIG)
    document = app.openapi_schema.to_schema()
    handlers = {
        operation_id(handler.fn): handler
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
    }
    paths: dict[str, Json] = {
        path: {method: of for method, of in item.items() if method != "head"}
        for path, item in document["paths"].items()
    }
    operations = [
        Operation(method, of, handlers[of["operationId"]])
        for item in paths.values()
        for method, of in item.items()
    ]
    finisher = _Finisher(operations, examples)
    for operation in operations:
        finisher.finish(operation)
    return document | {
        "paths": paths,
        "components": {
            "schemas": dict(sorted(finisher.components.items())),
            "responses": dict(sorted(finisher.responses.items())),
            "headers": {
                name: _header(name, text) for name, text in glossary.RESPONSE_HEADERS.items()
            },
            "securitySchemes": document["components"]["securitySchemes"],
        },
    }


class Operation(msgspec.Struct, frozen=True):
    """An operation as Litestar describes it, with its method and its handler."""

    method: str
    description: Json
    handler: HTTPRouteHandler

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self.description["operationId"])

    @property
    def opt(self) -> Mapping[str, Any]:
        """Return what its handler declares beside the signature."""
        return {
            "scope": None,
            "tenant_wide": False,
            "bodies": (),
            "headers": (),
            "statuses": (),
        } | self.handler.opt

    @property
    def bodies(self) -> Mapping[str, Any]:
        """Return the types of its bodies by media type."""
        data = get_type_hints(self.handler.fn, include_extras=True).get("data")
        return {JSON: data} if data else BODY_TYPES.get(self.name, {})

    @property
    def answer(self) -> Any:
        """Return the type of its answer."""
        answer = get_type_hints(self.handler.fn, include_extras=True)["return"]
        return get_args(answer)[0] if get_origin(answer) is Response else answer

    @property
    def is_conditional(self) -> bool:
        """Tell whether its answer has an entity tag."""
        return self.method == "get" and self.opt["scope"] is not None

    @property
    def problems(self) -> Mapping[int, list[str]]:
        """Return the codes of all problems it can meet, by status."""
        codes = {"internal", *self.opt.get("problems", ())}
        if self.opt["scope"]:
            codes |= {"unauthorized", "forbidden", "rate_limited", "unavailable", "bad_parameter"}
        if self.opt["bodies"]:
            codes |= {"bad_request", "unsupported_media_type", "content_too_large"}
        by_status: defaultdict[int, list[str]] = defaultdict(list)
        for code in sorted(codes, key=lambda code: (KINDS[code].status, code)):
            by_status[KINDS[code].status].append(code)
        return by_status


class _Finisher:
    """Finishes operations; what they share is collected as components."""

    def __init__(self, operations: Sequence[Operation], examples: Sequence[Example]) -> None:
        self.responses: dict[str, Json] = {}
        self._examples = examples
        sent = {
            (operation.name, of): kind
            for operation in operations
            for of, kind in operation.bodies.items()
        }
        answered = {operation.name: operation.answer for operation in operations}
        of_sent, (self._problem, *of_answered), self.components = make_schemas(
            list(sent.values()), [Document, *answered.values()]
        )
        self._sent = dict(zip(sent, of_sent, strict=True))
        self._answered = dict(zip(answered, of_answered, strict=True))

    def finish(self, operation: Operation) -> None:
        """Finish the description of an operation in place."""
        of, scope = operation.description, operation.opt["scope"]
        needs = f"Needs a key with the scope `{scope}`" if scope else "Needs no key"
        needs += " and no list of shops." if operation.opt["tenant_wide"] else "."
        of["description"] += f"\n\n{needs}"
        of["security"] = of.get("security", [])
        if scope:
            of["x-scope"] = scope
        del of["deprecated"]
        if parameters := [*self._parameters(operation)]:
            of["parameters"] = parameters
        if operation.bodies:
            of["requestBody"] = {
                "required": operation.opt["body_required"],
                "content": {
                    media_type: self._body(operation, media_type) for media_type in operation.bodies
                },
            }
        of["responses"] = dict(sorted(self._responses(operation)))

    def _parameters(self, operation: Operation) -> Iterator[Json]:
        for of in operation.description.get("parameters", ()):
            schema = tidy(of["schema"])
            text = schema.pop("description")
            yield self._parameter(
                operation, of["name"], of["in"], text, schema, required=of["required"]
            )
        conditional = ("If-None-Match",) if operation.is_conditional else ()
        for name in (*conditional, *operation.opt["headers"]):
            text, values = glossary.REQUEST_HEADERS[name]
            schema = {"type": "string"} | ({"enum": values} if values else {})
            yield self._parameter(operation, name, "header", text, schema, required=False)

    def _parameter(
        self,
        operation: Operation,
        name: str,
        where: str,
        text: str,
        schema: Json,
        *,
        required: bool,
    ) -> Json:
        examples = {
            example.name: {"value": example.parameters[name]}
            for example in self._examples
            if example.operation == operation.name and name in example.parameters
        }
        of = {"name": name, "in": where, "description": text, "required": required}
        return of | {"schema": schema} | ({"examples": examples} if examples else {})

    def _body(self, operation: Operation, media_type: str) -> Json:
        schema = self._sent[operation.name, media_type]
        if media_type == events.NDJSON:
            text = "One JSON value a line, in UTF-8; blank lines are skipped."
            schema = {"type": "string", "description": text, "x-line-schema": schema}
        examples = {
            example.name: {"summary": example.summary, "value": example.body}
            for example in self._examples
            if example.operation == operation.name and example.media_type == media_type
        }
        return {"schema": schema} | ({"examples": examples} if examples else {})

    def _responses(self, operation: Operation) -> Iterator[tuple[str, Json]]:
        conditional = _CONDITIONAL if operation.is_conditional else ()
        optional = ("Preference-Applied",) if "Prefer" in operation.opt["headers"] else ()
        limited = _LIMITED if operation.opt["scope"] else ()
        for status in operation.opt["statuses"] or (operation.handler.status_code,):
            headers = _headers("X-Request-Id", *conditional, *optional, *limited)
            answer: Json = {"description": glossary.ANSWERS[status], "headers": headers}
            if operation.answer is not NoneType and status != 204:
                content = {
                    "schema": self._answered[operation.name],
                    **self._shown(operation, status),
                }
                answer["content"] = {_media_type(operation.handler): content}
            yield str(status), answer
        if conditional:
            headers = _headers("X-Request-Id", *conditional, *limited)
            yield "304", {"description": glossary.ANSWERS[304], "headers": headers}
        for status, codes in operation.problems.items():
            yield str(status), self._refusal(operation, status, codes, optional)

    def _refusal(
        self, operation: Operation, status: int, codes: Sequence[str], optional: Sequence[str]
    ) -> Json:
        """Return a reference to the answer with one of several problems of one status."""
        has_members = _REFUSED in codes
        name = "_or_".join(codes) + (f"_{operation.name}" if has_members else "")
        if name not in self.responses:
            headers = [*_PROBLEM_HEADERS.get(status, ()), *(optional if has_members else ())]
            self.responses[name] = {
                "description": " ".join(f"`{code}`: {KINDS[code].meaning}" for code in codes),
                "headers": _headers("X-Request-Id", *headers),
                "content": {MEDIA_TYPE: {"schema": self._problem_schema(operation, status, codes)}},
            }
        content = self.responses[name]["content"][MEDIA_TYPE]
        if examples := self._shown(operation, status).get("examples"):
            content["examples"] = content.get("examples", {}) | examples
        return {"$ref": f"#/components/responses/{name}"}

    def _problem_schema(self, operation: Operation, status: int, codes: Sequence[str]) -> Json:
        def of(codes: Sequence[str], *more: Json) -> Json:
            members = {"status": {"const": status}, "code": {"enum": list(codes)}}
            return {"allOf": [self._problem, *more, {"type": "object", "properties": members}]}

        if _REFUSED not in codes:
            return of(codes)
        whole = of([_REFUSED], self._answered[operation.name])
        others = [code for code in codes if code != _REFUSED]
        return {"oneOf": [of(others), whole]} if others else whole

    def _shown(self, operation: Operation, status: int) -> Json:
        examples = {
            example.name: {"summary": example.summary, "value": example.answer}
            for example in self._examples
            if example.operation == operation.name and example.status == status
        }
        return {"examples": examples} if examples else {}


def _media_type(handler: HTTPRouteHandler) -> str:
    media_type = handler.media_type
    return str(media_type.value if isinstance(media_type, MediaType) else media_type or JSON)


def _header(name: str, text: str) -> Json:
    return {
        "description": text,
        "required": name not in ("Accept-Post", "Preference-Applied", *_LIMITED),
        "schema": {"type": "integer" if name == "Retry-After" else "string"},
    }


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _name(handler: HTTPRouteHandler, method: str, _: object) -> str:
    name = operation_id(handler.fn)
    return f"head:{name}" if method == HttpMethod.HEAD else name


_CONFIG = OpenAPIConfig(
    title=glossary.TITLE,
    version=glossary.VERSION,
    summary=glossary.SUMMARY,
    description=glossary.DESCRIPTION,
    contact=Contact(name="Whoever runs this service"),
    license=License(name="Apache 2.0", identifier="Apache-2.0"),
    servers=[Server("/", description="The service that answers with this document")],
    tags=[
        Tag(tag, description=(sys.modules[f"api.{tag}"].__doc__ or "").partition("\n")[0])
        for tag in TAGS
    ],
    components=Components(
        security_schemes={
            "key": SecurityScheme(type="http", scheme="bearer", description=glossary.KEY)
        }
    ),
    use_handler_docstrings=True,
    operation_id_creator=_name,
)
