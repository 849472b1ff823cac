"""Every response that a test receives must be one that openapi/v1.json describes."""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpx
import jsonschema_rs

from api.docs import contract_file

HINT = "; is openapi/v1.json current? See tests/contract/regenerate.py"

Json = dict[str, Any]


class Undocumented(AssertionError):
    """A response that the contract does not describe."""


async def check_async(response: httpx.Response) -> None:
    """Check a response like `check`, as a hook of asynchronous clients."""
    await response.aread()
    check(response)


def check(response: httpx.Response) -> None:
    """Compare a response with the contract: status, media type, headers and body.

    A path or method that the contract does not know must be refused as the contract says.
    Raises Undocumented.
    """
    request = response.request
    what = f"{request.method} {request.url.raw_path.decode()} -> {response.status_code}"
    method = "get" if request.method == "HEAD" else request.method.lower()
    path = _path(request.url.raw_path.split(b"?")[0].decode())
    item = document()["paths"].get(path, {})
    if method in item:
        answers = item[method]["responses"]
        answer = answers.get(str(response.status_code))
        _must(answer is not None, f"{what}: the contract has only {', '.join(answers)}{HINT}")
    elif response.status_code == 204 and method == "options":
        _must("allow" in response.headers, f"{what}: no Allow")
        answer = {"headers": _headers("X-Request-Id")}
    else:
        expected = (404, 405) if item else (404,)
        _must(response.status_code in expected, f"{what}: not in the contract{HINT}")
        _must(response.status_code == 404 or "allow" in response.headers, f"{what}: no Allow")
        answer = routing_problem()
    _check_answer(what, response, _resolved(answer))


def routing_problem() -> Json:
    """Return the answer to a request that no operation takes."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "headers": _headers("X-Request-Id"),
        "content": {"application/problem+json": {"schema": schema}},
    }


@cache
def document() -> Json:
    """Return the committed contract."""
    result: Json = json.loads(contract_file())
    return result


def validator(schema: Json) -> jsonschema_rs.Validator:
    """Return a validator of a schema that refers to the contract's components."""
    return _validator(json.dumps(schema))


def _check_answer(what: str, response: httpx.Response, answer: Json) -> None:
    for name, header in answer.get("headers", {}).items():
        if _resolved(header)["required"]:
            _must(name in response.headers, f"{what}: no header {name}")
    content = answer.get("content")
    if content is None:
        _must(not response.content, f"{what}: a body where there is none in the contract")
        return
    media_type = response.headers.get("content-type", "").partition(";")[0]
    _must(media_type in content, f"{what}: {media_type or 'no media type'}, not {[*content]}")
    if response.request.method == "HEAD":
        _must(not response.content, f"{what}: HEAD with a body")
        return
    body = response.json() if media_type.endswith("json") else response.text
    errors = list(validator(content[media_type]["schema"]).iter_errors(body))
    _must(
        not errors,
        "\n".join(f"{what}: {error.message} at {error.instance_path}" for error in errors),
    )


def _path(path: str) -> str:
    """Return the path as the contract writes it, literal before with parameters."""
    paths = document()["paths"]
    if "%2f" in path.lower():
        return path
    path = unquote(path)
    if path in paths:
        return path
    result = (template for template in paths if _pattern(template).fullmatch(path))
    return next(result, path)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", template))


@cache
def _validator(schema: str) -> jsonschema_rs.Validator:
    whole = {**json.loads(schema), "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _resolved(node: Json) -> Json:
    while "$ref" in node:
        result: Any = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            result = result[step]
        node = result
    return node


def _headers(*names: str) -> Json:
    return {name: {"required": True} for name in names}


def _must(holds: bool, otherwise: str) -> None:  # noqa: FBT001
    if not holds:
        raise Undocumented(otherwise)
