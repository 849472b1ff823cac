"""JSON Schemas of everything on the wire, as components that the contract refers to.

What is sent is closed where the service refuses unknown members. Answers are open, since members
may be added to them, and members with a default are there all the same.
"""

import inspect
from collections.abc import Container, Iterable, Sequence
from typing import Any

import msgspec

from api.operations import Beside

Schema = dict[str, Any]

_REF = "#/components/schemas/"
_NAMES = {"Document": "Problem"}
_EVENT = "Event"
# Python's `$` also matches before a line break at the end; that of JSON Schema does not.
_END = "(?!\\n)"


class Schemas:
    """Schemas of all that is sent and answered, which refer to `components` by name.

    A Struct that is both sent and answered, and is not the same in both, has a component for each.
    """

    def __init__(self, sent: Iterable[object], answered: Iterable[object]) -> None:
        self.components: dict[str, Schema] = {}
        self._sent = list(sent)
        self._answered = [part for answer in answered for part in _parts(answer)]
        self._of_sent = self._make(self._sent, answered=False)
        self._of_answered = self._make(self._answered, answered=True)

    def sent(self, kind: object) -> Schema:
        """The schema of something that callers send."""
        return self._of_sent[self._sent.index(kind)]

    def answered(self, kind: object) -> Schema:
        """The schema of an answer."""
        found = [self._of_answered[self._answered.index(part)] for part in _parts(kind)]
        return found[0] if len(found) == 1 else {"allOf": found}

    def members(self, kind: type[msgspec.Struct]) -> Schema:
        """The schema of a flat Struct in place, no component made."""
        _, components = msgspec.json.schema_components([kind])
        found: Schema = self._tidy(components[kind.__name__], {})
        return found

    def _make(self, kinds: Sequence[object], *, answered: bool) -> list[Schema]:
        schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF + "{name}")
        names = {name: _NAMES.get(name, name) for name in components}
        if answered:
            for name, component in components.items():
                _open(component)
                sent = self.components.get(names[name])
                if sent is not None and sent != self._tidy(component, names):
                    names[name] = _answer_name(name, self.components.keys() | components.keys())
        for name, component in components.items():
            self.components[names[name]] = self._tidy(component, names)
        return [self._tidy(schema, names) for schema in schemas]

    def _tidy(self, node: Any, names: dict[str, str]) -> Any:
        match node:
            case list():
                return [self._tidy(item, names) for item in node]
            case str() if node.startswith(_REF):
                name = node.removeprefix(_REF)
                return _REF + names.get(name, name)
            case {"anyOf": union, "discriminator": by}:
                self.components[_EVENT] = {
                    "description": "An event; its `type` says of what.",
                    "oneOf": self._tidy(union, names),
                    "discriminator": self._tidy(by, names),
                }
                return {"$ref": _REF + _EVENT}
            case dict():
                return _plain({key: self._tidy(value, names) for key, value in node.items()})
            case _:
                return node


def _plain(schema: Schema) -> Schema:
    """The same schema in the words that tools know; names of members may stand in it, too."""
    match schema:
        case {"title": str()}:
            return _plain({key: value for key, value in schema.items() if key != "title"})
        case {"required": []}:
            return _plain({key: value for key, value in schema.items() if key != "required"})
        case {"prefixItems": [first, *rest]}:
            assert all(item == first for item in rest)
            count = {"items": first, "minItems": 1 + len(rest), "maxItems": 1 + len(rest)}
            return _plain({k: v for k, v in schema.items() if k != "prefixItems"} | count)
    if isinstance(text := schema.get("description"), str):
        schema["description"] = " ".join(inspect.cleandoc(text).split())
    if isinstance(pattern := schema.get("pattern"), str):
        schema["pattern"] = pattern.replace(_END, "")
    if isinstance(values := schema.get("enum"), list) and isinstance(values[0], str):
        return {"type": "string", **schema}
    return schema


def _open(component: Schema) -> None:
    component.pop("additionalProperties", None)
    for name, member in component.get("properties", {}).items():
        if "default" in member:
            del member["default"]
            component["required"].append(name)


def _answer_name(name: str, taken: Container[str]) -> str:
    """`Ladder` for `LadderDraft` if that is free, else `LadderDraftAnswer`."""
    short = name.removesuffix("Draft")
    return f"{name}Answer" if short in taken else short


def _parts(answer: object) -> list[object]:
    if isinstance(answer, Beside):
        return [*_parts(answer.top), *_parts(answer.rest)]
    return [answer]
