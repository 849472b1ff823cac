"""JSON Schemas of what is sent and answered, by msgspec: its unions have discriminators.

What is sent is closed where the service refuses unknown members. Answers are open, since members
may be added to them, and members with a default are there all the same.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

Schema: TypeAlias = dict[str, Any]

REFERENCE = "#/components/schemas/"

_NAMES = {"Document": "Problem"}
_EVENT = "Event"
# Python's `$` also matches before a line break at the end; that of JSON Schema does not.
_END = "(?!\\n)"


def make_schemas(
    sent: Sequence[Any], answered: Sequence[Any]
) -> tuple[list[Schema], list[Schema], dict[str, Schema]]:
    """Return schemas of types that are sent and answered, and the components they refer to.

    A Struct that is both, and not the same in both, has a component for each.
    """
    of_sent, components = _made(sent)
    of_answered, opened = _made(answered)
    names = dict(_NAMES)
    for name, component in opened.items():
        _open(component)
        if components.get(name, component) != component:
            short = name.removesuffix("Draft")
            names[name] = f"{name}Answer" if short in components | opened else short
    opened = {names.get(name, name): _renamed(of, names) for name, of in opened.items()}
    return of_sent, _renamed(of_answered, names), components | opened


def tidy(node: Any) -> Any:  # noqa: PLR0911 - one a shape
    """Return a schema in the words that tools know."""
    match node:
        case list():
            return [tidy(item) for item in node]
        case {"oneOf": [alone] | [alone, {"type": "null"}], **others}:
            # Litestar has it that an optional parameter may be null.
            return tidy({**alone, **others})
        case {"enum": [*values, None], **others}:
            return tidy({**others, "enum": values, "type": "string"})
        case {"prefixItems": [first, *rest], **others}:
            count = 1 + len(rest)
            return tidy({**others, "items": first, "minItems": count, "maxItems": count})
        case dict():
            return _plain({name: tidy(value) for name, value in node.items()})
        case float() if node.is_integer():
            return int(node)
    return node


def _plain(schema: Schema) -> Schema:
    if isinstance(schema.get("title"), str):
        del schema["title"]
    if schema.get("required") == []:
        del schema["required"]
    if isinstance(text := schema.get("description"), str):
        schema["description"] = " ".join(inspect.cleandoc(text).split())
    if isinstance(pattern := schema.get("pattern"), str):
        schema["pattern"] = pattern.replace(_END, "")
    if isinstance(values := schema.get("enum"), list) and isinstance(values[0], str):
        return {"type": "string", **schema}
    return schema


def _made(kinds: Sequence[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    schemas, structs = msgspec.json.schema_components(kinds, ref_template=REFERENCE + "{name}")
    components: dict[str, Schema] = tidy(structs)
    return _with_event(tidy(list(schemas)), components), components


def _with_event(node: Any, components: dict[str, Schema]) -> Any:
    """Return schemas in which the union of events is a component of its own."""
    match node:
        case {"anyOf": union, "discriminator": by}:
            components[_EVENT] = {
                "description": "An event; its `type` says of what.",
                "oneOf": union,
                "discriminator": by,
            }
            return {"$ref": REFERENCE + _EVENT}
        case dict():
            return {name: _with_event(value, components) for name, value in node.items()}
        case list():
            return [_with_event(item, components) for item in node]
    return node


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    match node:
        case {"$ref": str(reference), **others}:
            name = reference.removeprefix(REFERENCE)
            return {"$ref": REFERENCE + names.get(name, name), **others}
        case dict():
            return {name: _renamed(value, names) for name, value in node.items()}
        case list():
            return [_renamed(item, names) for item in node]
    return node


def _open(component: Schema) -> None:
    component.pop("additionalProperties", None)
    for name, member in component.get("properties", {}).items():
        if "default" in member:
            del member["default"]
            component.setdefault("required", []).append(name)
