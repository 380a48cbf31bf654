"""Types of the language from JSON Schema (draft 2020-12, and what older drafts and OpenAPI write
otherwise): what a program says of data that it is sent.

Laws:
- a type is what JSON becomes when it is read. A text stays a text whatever its `format` says, so
  conditions write `timestamp(resource.due)`; an `integer` is an int; a `number` is dyn, because `5`
  is read as an int and `5.5` as a double;
- what a schema does not name is not known: an object that says nothing of `additionalProperties`
  has no others for the checker, so that a misspelt one is found. With `true`, a schema or patterns
  there it has others, of which nothing is known;
- that a property may be absent is no matter of types: reading it is then an error, `has()` asks;
- where alternatives do not go together, or a schema says less than a type would, it is dyn; what
  only narrows values (`minimum`, `pattern`, `not`) is passed over;
- an object that refers to itself does so by name. References lead within the schema;
- all that is no schema is told, each by its JSON Pointer (RFC 6901).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from ..errors import CompileError
from ..issues import Issue, Issues, Place
from ..limits import DEFAULT, Limits
from .annotations import common
from .check_messages import did_you_mean
from .types import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    Kind,
    Type,
    list_of,
    map_of,
    message_type,
    object_type,
)

Schema = Mapping[str, Any]

SCALARS = {"boolean": BOOL, "integer": INT, "null": NULL, "number": DYN, "string": STRING}
KINDS = (*SCALARS, "array", "object")
OF_OBJECTS = ("properties", "required", "additionalProperties", "patternProperties")
OF_ARRAYS = ("items", "prefixItems")
# What may let in properties that `properties` does not name.
OPENING = ("patternProperties", "dependentSchemas", "if", "unevaluatedProperties")
# With these, what a schema that refers to itself comes to is not known before it is read.
COMBINING = ("$ref", "allOf", "anyOf", "oneOf", "enum", "const")
ROOT = "#"


def json_schema(schema: Any, name: str = "object", limits: Limits = DEFAULT) -> Type:
    """The type of the JSON that fits `schema`, as the language has it; `name` is what messages call
    it. Raises CompileError with all that is no schema."""
    reader = _Reader(schema, name, limits)
    try:
        found = reader.read(schema, ROOT, name, 0)
    except RecursionError:
        found = reader.wrong(ROOT, "schemas are nested too deeply")
    if reader.issues:
        raise CompileError(Issues.of(reader.issues[: limits.issues]))
    return found


def schema_variables(schema: Any, limits: Limits = DEFAULT) -> dict[str, Type]:
    """The properties of a schema of an object as variables and their types. Raises CompileError."""
    found = json_schema(schema, "", limits)
    if found.kind is not Kind.STRUCT or found.fields is None:
        message = "expected the schema of an object with `properties`, which are the variables"
        raise CompileError(Issues((_issue(ROOT, message),)))
    return dict(found.fields)


def _issue(pointer: str, message: str, hint: str = "") -> Issue:
    return Issue(Place("<schema>"), "invalid_schema", f"`{pointer}`: {message}", hint)


class _Reader:
    """One schema being read. `inside` has the pointers of what is being read around the place,
    `done` what references led to, `names` what objects are called."""

    def __init__(self, root: Any, name: str, limits: Limits) -> None:
        self.root = root
        self.name = name
        self.limits = limits
        self.issues: list[Issue] = []
        self.inside: set[str] = set()
        self.done: dict[str, Type] = {}
        self.names: set[str] = set()
        self.numbers: dict[str, int] = {}  # the last that a name was told from others by
        self.called_before: dict[tuple[str, str], str] = {}  # name and pointer → what it became
        self.first_names: dict[str, str] = {}  # by pointer
        self.count = 0

    def wrong(self, pointer: str, message: str, hint: str = "") -> Type:
        self.issues.append(_issue(pointer, message, hint))
        return DYN

    def read(self, schema: Any, pointer: str, name: str, depth: int) -> Type:
        """The type of a schema, which is so many values deep."""
        if isinstance(schema, bool):
            return DYN
        if not isinstance(schema, Mapping):
            return self.wrong(pointer, f"expected a schema, found {_what(schema)}")
        self.count += 1
        if depth > self.limits.property_depth or self.count > self.limits.expression_nodes:
            limit = "property_depth" if depth > self.limits.property_depth else "expression_nodes"
            return self.wrong(pointer, f"more than the limit `{limit}` allows")
        self.inside.add(pointer)
        parts = [self.own(schema, pointer, name, depth)]
        if "$ref" in schema:
            parts.append(self.referred(schema["$ref"], f"{pointer}/$ref", depth))
        parts += self.each(schema, "allOf", pointer, name, depth)
        for key in ("anyOf", "oneOf"):
            found = self.each(schema, key, pointer, name, depth)
            parts += [either(found, name)] if found else []
        self.inside.discard(pointer)
        whole = together(parts, name)
        return either([whole, NULL], name) if schema.get("nullable") is True else whole

    def each(self, schema: Schema, key: str, pointer: str, name: str, depth: int) -> list[Type]:
        """The types of a list of schemas."""
        if key not in schema:
            return []
        pointer = f"{pointer}/{key}"
        if not isinstance(schema[key], list) or not schema[key]:
            self.wrong(pointer, f"expected a list of schemas, found {_what(schema[key])}")
            return []
        return [
            self.read(one, f"{pointer}/{number}", name, depth)
            for number, one in enumerate(schema[key])
        ]

    # -- what a schema says itself ---------------------------------------------------------------

    def own(self, schema: Schema, pointer: str, name: str, depth: int) -> Type:
        if "const" in schema:
            return value_type(schema["const"])
        if "enum" in schema:
            values = schema["enum"]
            if not isinstance(values, list) or not values:
                return self.wrong(f"{pointer}/enum", f"expected values, found {_what(values)}")
            return either(map(value_type, values), name)
        kinds = schema.get("type", _implied(schema))
        if not isinstance(kinds, list):
            return self.typed(kinds, f"{pointer}/type", schema, pointer, name, depth)
        if not kinds:
            return self.wrong(f"{pointer}/type", "expected the name of a type, found an empty list")
        return either(
            [
                self.typed(kind, f"{pointer}/type/{number}", schema, pointer, name, depth)
                for number, kind in enumerate(kinds)
            ],
            name,
        )

    def typed(
        self, kind: Any, place: str, schema: Schema, pointer: str, name: str, depth: int
    ) -> Type:
        if kind is None and "type" not in schema:
            return DYN
        if kind == "array":
            return self.array(schema, pointer, name, depth + 1)
        if kind == "object":
            return self.object(schema, pointer, name, depth + 1)
        if isinstance(kind, str) and kind in SCALARS:
            return SCALARS[kind]
        if not isinstance(kind, str):
            return self.wrong(place, f"expected the name of a type, found {_what(kind)}")
        return self.wrong(place, f"unknown type `{kind}`", did_you_mean(kind, KINDS))

    def array(self, schema: Schema, pointer: str, name: str, depth: int) -> Type:
        items = schema.get("items", True)
        first, rest = "prefixItems", "items"
        if isinstance(items, list):  # as draft 7 writes it
            first, rest = "items", "additionalItems"
        found = self.each(schema, first, pointer, name, depth) if first in schema else []
        others = schema.get(rest, True)
        if others is not False:
            found.append(self.read(others, f"{pointer}/{rest}", name, depth))
        return list_of(either(found, name))

    def object(self, schema: Schema, pointer: str, name: str, depth: int) -> Type:
        name = self.called(name, pointer)
        fields = self.properties(schema, pointer, name, depth)
        others = schema.get("additionalProperties", False)
        extra = self.read(others, f"{pointer}/additionalProperties", name, depth)
        patterns = schema.get("patternProperties", {})
        if isinstance(patterns, Mapping):
            for key, one in patterns.items():
                self.read(one, f"{pointer}/patternProperties/{_escaped(key)}", name, depth)
        is_open = others is not False or any(key in schema for key in OPENING)
        if fields or "properties" in schema or "additionalProperties" in schema and not is_open:
            return object_type(name, fields, open=is_open)
        return map_of(STRING, DYN if "patternProperties" in schema else extra)

    def properties(self, schema: Schema, pointer: str, name: str, depth: int) -> dict[str, Type]:
        named = schema.get("properties", {})
        if not isinstance(named, Mapping):
            self.wrong(f"{pointer}/properties", f"expected an object, found {_what(named)}")
            named = {}
        required = schema.get("required", [])
        if not isinstance(required, list) or not all(isinstance(key, str) for key in required):
            self.wrong(f"{pointer}/required", "expected a list of names")
            required = []
        fields = {key: DYN for key in required if key not in named}
        for key, one in named.items():
            if not isinstance(key, str):
                self.wrong(f"{pointer}/properties", f"expected names, found {_what(key)}")
            elif one is not False:
                inner = f"{name}.{key}" if name else key
                fields[key] = self.read(one, f"{pointer}/properties/{_escaped(key)}", inner, depth)
        return fields

    def called(self, name: str, pointer: str) -> str:
        """A name for the object at a pointer that no other object has."""
        chosen = self.called_before.get((name, pointer))
        if chosen is not None:
            return chosen
        number, chosen = self.numbers.get(name, 1), name
        while chosen in self.names:
            number += 1
            chosen = f"{name}#{number}"
        self.names.add(chosen)
        self.numbers[name] = number
        self.called_before[name, pointer] = chosen
        self.first_names.setdefault(pointer, chosen)
        return chosen

    # -- references ------------------------------------------------------------------------------

    def referred(self, reference: Any, pointer: str, depth: int) -> Type:
        """The type of what `$ref` leads to."""
        target = self.target(reference)
        if target is None:
            hint = "such as `#/$defs/Task`"
            return self.wrong(pointer, "expected a JSON Pointer within the schema", hint)
        if target in self.done:
            return self.done[target]
        try:
            schema = self.at(target)
        except (LookupError, TypeError, ValueError):
            return self.wrong(pointer, f"`{reference}` leads nowhere")
        if target in self.inside:
            return self.recursive(schema, target)
        last = _unescaped(target.rpartition("/")[2])
        name = f"{self.name}.{last}" if self.name else last
        self.done[target] = found = self.read(schema, target, name, depth)
        return found

    def target(self, reference: Any) -> str | None:
        if not isinstance(reference, str):
            return None
        base = self.root.get("$id", "") if isinstance(self.root, Mapping) else ""
        local = reference.removeprefix(base) if isinstance(base, str) else reference
        return unquote(local) if local == ROOT or local.startswith(f"{ROOT}/") else None

    def at(self, target: str) -> Any:
        found = self.root
        for part in target.split("/")[1:]:
            found = found[int(part) if isinstance(found, list) else _unescaped(part)]
        return found

    def recursive(self, schema: Any, target: str) -> Type:
        """What refers to itself: an object does by its name, anything else is not known."""
        is_object = schema.get("type", "object") == "object" and "properties" in schema
        if not is_object or any(key in schema for key in COMBINING):
            return DYN
        return message_type(self.first_names[target])


# -- types together --------------------------------------------------------------------------------


def either(found: Iterable[Type], name: str) -> Type:
    """The type of what is one of these. Of objects one with the fields of all: that a value is of
    one of them only is as if the others' fields were absent."""
    types = list(dict.fromkeys(found))
    some = [type for type in types if type is not NULL]
    shapes = [type.fields for type in some if type.fields is not None]
    if len(shapes) == len(some) > 1:
        held: dict[str, list[Type]] = {}
        for shape in shapes:
            for field, type in shape.items():
                held.setdefault(field, []).append(type)
        fields = {field: either(held[field], name) for field in sorted(held)}
        return object_type(name, fields, open=any(type.open for type in some))
    if len(types) > 1 and all(type.kind is Kind.LIST for type in types):
        return list_of(either([type.parameters[0] for type in types], name))
    return common(types)


def together(found: list[Type], name: str) -> Type:
    """The type of what is all of these. By halves, because each step copies what it joins."""
    if len(found) == 1:
        return found[0]
    half = len(found) // 2
    return both(name, together(found[:half], name), together(found[half:], name))


def both(name: str, one: Type, other: Type) -> Type:
    """The type of what is both; dyn where nothing is."""
    if one is other or other is DYN:
        return one
    if one is DYN:
        return other
    if one.fields is not None and other.fields is not None:
        fields = dict(one.fields)
        for field, type in other.fields.items():
            fields[field] = both(name, fields.get(field, DYN), type)
        return object_type(name, fields, open=one.open or other.open)
    if one.kind is other.kind and one.parameters:
        parameters = map(functools.partial(both, name), one.parameters, other.parameters)
        return (list_of if one.kind is Kind.LIST else map_of)(*parameters)
    for narrow, wide in ((one, other), (other, one)):
        if narrow.kind is Kind.STRUCT and wide.kind is Kind.MAP:
            return narrow
        if wide.nullable and (narrow is NULL or narrow.kind is wide.kind):
            return narrow
    return DYN


VALUES: Mapping[type, Type] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    float: DOUBLE,
    str: STRING,
    list: list_of(DYN),
    dict: map_of(STRING, DYN),
}


def value_type(value: Any) -> Type:
    """The type of a JSON value."""
    return VALUES.get(type(value), DYN)


def _implied(schema: Schema) -> str | None:
    """The type that a schema without one is about."""
    if any(key in schema for key in OF_OBJECTS):
        return "object"
    return "array" if any(key in schema for key in OF_ARRAYS) else None


def _escaped(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _what(value: Any) -> str:
    """What a value is in JSON, for messages."""
    if value is None:
        return "null"
    for kind, word in _WORDS:
        if isinstance(value, kind):
            return f"an empty {word}" if word in ("list", "text") and not value else f"a {word}"
    return "what is no JSON"


_WORDS: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "number"),
    (float, "number"),
    (str, "text"),
    (list, "list"),
    (Mapping, "map"),
)
