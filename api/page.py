"""Pages for people, in plain HTML: no script, and nothing that is loaded from anywhere."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape
from typing import Any

from api.operations import Answer
from api.schemas import Schema

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--key:#06c}
@media(prefers-color-scheme:dark){:root{--key:#6bf}}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1.5rem}
h1 small,h3 small{font-weight:normal;opacity:.7}
h2{border-bottom:2px solid var(--line);margin-top:3rem}
h3{margin:2.5rem 0 .5rem}
a{color:var(--key);text-decoration:none}a:hover{text-decoration:underline}
code,pre{font:.875em/1.5 ui-monospace,monospace}
code{background:var(--soft);border-radius:.2rem;overflow-wrap:anywhere;padding:.1em .3em}
pre{background:var(--soft);border-radius:.3rem;max-height:30rem;overflow:auto;padding:.8rem}
table{border-collapse:collapse;margin:.5rem 0 1rem;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.3rem .8rem .3rem 0;text-align:left;\
vertical-align:top}
th{font-weight:600;white-space:nowrap}
caption{font-weight:600;padding-top:.6rem;text-align:left}
nav ul{columns:22rem;list-style:none;margin:.1rem 0 .7rem;padding:0}nav li{break-inside:avoid}
.method{color:var(--key);display:inline-block;font-weight:700;min-width:4.7rem}
summary{cursor:pointer}
"""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_ENCODED = [(name.lower().encode(), text.encode()) for name, text in HEADERS.items()]
_CODE = re.compile(r"`([^`]+)`")
_METHODS = ("get", "put", "post", "delete")


def page(title: str, body: str) -> Answer:
    """A page with a strict Content-Security-Policy; `body` is HTML."""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{_STYLE}</style>'
        f"</head><body>{body}</body></html>"
    )
    return Answer(200, text.encode(), "text/html; charset=utf-8", _ENCODED)


def prose(text: str) -> str:
    """Paragraphs of HTML; what stands in backticks is code."""
    return "".join(f"<p>{_line(part)}</p>" for part in text.split("\n\n") if part)


def contract_body(document: Schema) -> str:
    """An OpenAPI document as HTML: its operations by tag, then its schemas."""
    info, components = document["info"], document["components"]
    operations = [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    ]
    parts = [
        f"<h1>{escape(info['title'])} <small>version {escape(info['version'])}</small></h1>",
        prose(info["description"]),
        '<p>This page is made from <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>',
        prose(components["securitySchemes"]["key"]["description"]),
    ]
    tags = [(tag["name"].capitalize(), tag) for tag in document["tags"]]
    for title, tag in tags:
        links = "".join(
            f'<li><a href="#{one["operationId"]}">{_method(method)}{escape(path)}</a></li>'
            for method, path, one in operations
            if one["tags"] == [tag["name"]]
        )
        parts.append(f"<nav><strong>{escape(title)}</strong><ul>{links}</ul></nav>")
    for title, tag in tags:
        parts.append(f"<h2>{escape(title)}</h2>{prose(tag['description'])}")
        parts.extend(
            _operation(method, path, one, components["responses"])
            for method, path, one in operations
            if one["tags"] == [tag["name"]]
        )
    parts.append("<h2>Schemas</h2>")
    parts.extend(_schema(name, schema) for name, schema in components["schemas"].items())
    return "".join(parts)


def _operation(method: str, path: str, operation: Schema, responses: Schema) -> str:
    title = f"{_method(method)}{escape(path)} <small>{_line(operation['summary'])}</small>"
    parts = [
        f'<h3 id="{operation["operationId"]}">{title}</h3>',
        prose(operation["description"]),
        _table(
            "Parameters",
            (
                (
                    f"<code>{escape(one['name'])}</code>{' *' if one['required'] else ''}",
                    one["in"],
                    _type(one["schema"]),
                    _line(one["description"]),
                )
                for one in operation.get("parameters", ())
            ),
        ),
    ]
    bodies = operation.get("requestBody", {}).get("content", {})
    parts.append(
        _table(
            "Body",
            ((f"<code>{escape(kind)}</code>", _type(of["schema"])) for kind, of in bodies.items()),
        )
    )
    answers = {
        status: responses[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in operation["responses"].items()
    }
    parts.append(
        _table(
            "Answers",
            (
                (
                    f"<code>{status}</code>",
                    _line(answer["description"]),
                    " ".join(
                        _type(of["schema"])
                        for kind, of in answer.get("content", {}).items()
                        if "problem" not in kind
                    ),
                )
                for status, answer in answers.items()
            ),
        )
    )
    parts.extend(_examples("Request", bodies))
    for status, answer in answers.items():
        if "$ref" not in operation["responses"][status]:
            parts.extend(_examples(f"Answer {status}", answer.get("content", {})))
    return "".join(parts)


def _examples(what: str, content: Schema) -> Iterable[str]:
    for media_type, of in content.items():
        for example in of.get("examples", {}).values():
            value = example["value"]
            text = (
                value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
            )
            yield (
                f"<details><summary>{what} <code>{escape(media_type)}</code>: "
                f"{_line(example['summary'])}</summary><pre>{escape(text)}</pre></details>"
            )


def _schema(name: str, schema: Schema) -> str:
    required = schema.get("required", ())
    head = f'<h3 id="schema-{name}">{escape(name)}</h3>{prose(schema.get("description", ""))}'
    if "properties" not in schema:
        return f"{head}<p>{_type(schema)}</p>"
    closed = schema.get("additionalProperties") is False
    return head + _table(
        "Members, and no others" if closed else "Members",
        (
            (
                f"<code>{escape(member)}</code>{' *' if member in required else ''}",
                _type(of),
                _line(of.get("description", "")),
            )
            for member, of in schema["properties"].items()
        ),
    )


def _type(schema: Schema) -> str:
    if "x-line-schema" in schema:
        return f"lines, each {_type(schema['x-line-schema'])}"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{escape(name)}</a>'
    for key, between in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
        if key in schema:
            return between.join(_type(part) for part in schema[key])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_span(schema, 'minItems', 'maxItems')}{_type(schema['items'])}"
    kind = escape(schema.get("format") or schema.get("type") or "anything")
    span = _span(schema, "minimum", "maximum") or _span(schema, "minLength", "maxLength")
    default = (
        f", by default <code>{escape(json.dumps(schema['default']))}</code>"
        if schema.get("default") is not None
        else ""
    )
    return f"{kind} {span}{default}".strip()


def _span(schema: Schema, low: str, high: str) -> str:
    least, most = schema.get(low), schema.get(high)
    if least is None and most is None:
        return ""
    if least == most:
        return f"{least} "
    return f"{'' if least is None else least}..{'' if most is None else most} "


def _table(caption: str, rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [
        f"<tr><th>{first}</th>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    ]
    return f"<table><caption>{caption}</caption>{''.join(lines)}</table>" if lines else ""


def _method(method: str) -> str:
    return f'<span class="method">{method.upper()}</span>'


def _line(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
