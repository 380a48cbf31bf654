"""A JSON Schema says what an expression may read, and is refused by pointer where it is none."""

from __future__ import annotations

import sys
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import CompileError, Limits, cel
from taskman_authz.cel import schemas
from taskman_authz.cel.schemas import schema_variables

TASK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "owner": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "size": {"type": "integer"},
        "due": {"type": "string", "format": "date-time"},
        "parent": {"$ref": "#"},
        "team": {"$ref": "#/$defs/Team"},
        "meta": {"properties": {"level": {"enum": [1, 2]}}, "additionalProperties": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["owner", "code"],
    "$defs": {
        "Team": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/Team"}},
            },
        }
    },
}


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def type_of(schema: Any, text: str = "x") -> str:
    return str(cel.Env({"x": schema}).compile(text).type)


def refused(text: str, schema: Any = TASK) -> list[tuple[str, str]]:
    with pytest.raises(CompileError) as raised:
        cel.Env({"x": schema}).compile(text)
    return [(issue.message, issue.hint) for issue in raised.value.issues]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "dyn"),
        ({"type": "string"}, "string"),
        ({"type": "integer"}, "int"),
        ({"type": "number"}, "dyn"),
        ({"type": "boolean"}, "bool"),
        ({"type": "null"}, "null_type"),
        ({"type": "string", "format": "duration"}, "string"),
        ({"type": ["string", "null"]}, "wrapper(string)"),
        ({"type": "integer", "nullable": True}, "wrapper(int)"),
        ({"type": ["string", "integer"]}, "dyn"),
        ({"enum": ["a", "b"]}, "string"),
        ({"enum": ["a", None]}, "wrapper(string)"),
        ({"enum": [1, "a"]}, "dyn"),
        ({"const": 1.5}, "double"),
        ({"const": True}, "bool"),
        ({"type": "array"}, "list(dyn)"),
        ({"items": {"type": "integer"}}, "list(int)"),
        ({"prefixItems": [{"type": "string"}], "items": False}, "list(string)"),
        ({"prefixItems": [{"type": "string"}]}, "list(dyn)"),
        ({"items": [{"type": "string"}], "additionalItems": {"type": "string"}}, "list(string)"),
        ({"type": "object"}, "map(string, dyn)"),
        ({"additionalProperties": {"type": "integer"}}, "map(string, int)"),
        ({"type": "object", "additionalProperties": False}, "x"),
        (object_of(a=True), "x"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "wrapper(string)"),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, "dyn"),
        ({"anyOf": [{"items": {"type": "string"}}, {"items": {"const": "a"}}]}, "list(string)"),
        ({"allOf": [{"type": "string"}, {"enum": ["a"]}]}, "string"),
        ({"allOf": [{"type": ["string", "null"]}, {"type": "string"}]}, "string"),
        ({"allOf": [{"items": True}, {"items": {"type": "integer"}}]}, "list(int)"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "dyn"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}}, "string"),
        ({"$ref": "#/definitions/a~1b%25", "definitions": {"a/b%": {"const": 1}}}, "int"),
        (
            {"$id": "https://a/b", "$ref": "https://a/b#/$defs/A", "$defs": {"A": {"const": 1}}},
            "int",
        ),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"items": {"$ref": "#/$defs/A"}}}}, "list(dyn)"),
        ({"$ref": "#"}, "dyn"),
    ],
)
def test_a_schema_is_the_tightest_type_that_is_right(schema: Any, expected: str) -> None:
    assert type_of(schema) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x.owner", "string"),
        ("x.tags", "list(string)"),
        ("x.code", "dyn"),
        ("x.due", "string"),
        ("timestamp(x.due)", "google.protobuf.Timestamp"),
        ("x.parent.parent.parent.size", "int"),
        ("x.team.parts[0].parts.map(p, p.name)", "list(string)"),
        ("x.meta.level", "int"),
        ("x.meta.anything", "dyn"),
        ("x.labels['a']", "string"),
    ],
)
def test_properties_are_read_by_their_types(text: str, expected: str) -> None:
    assert type_of(TASK, text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("x.ownr == 'ann'", "undefined field `ownr` of `x`", "did you mean `owner`?"),
        ("x.parent.sise", "undefined field `sise` of `x`", "did you mean `size`?"),
        ("x.team.parts[0].nam", "undefined field `nam` of `x.Team`", "did you mean `name`?"),
    ],
)
def test_a_misspelt_property_is_refused(text: str, message: str, hint: str) -> None:
    assert refused(text) == [(message, hint)]


def test_alternatives_have_the_properties_of_all() -> None:
    schema = {
        "oneOf": [object_of(a={"const": 1}, b={}), object_of(b={"const": "x"}), {"const": None}]
    }
    assert type_of(schema, "x.a") == "int"
    assert type_of(schema, "x.b") == "dyn"
    assert type_of(schema, "x == null") == "bool"
    assert refused("x.c", schema)


def test_what_holds_together_has_the_properties_of_all() -> None:
    schema = {
        "allOf": [{"$ref": "#/$defs/Base"}, {"required": ["id", "b"]}],
        "properties": {"a": {"type": "string"}},
        "$defs": {"Base": object_of(id={"type": "integer"})},
    }
    assert [type_of(schema, text) for text in ("x.id", "x.a", "x.b")] == ["int", "string", "dyn"]
    assert refused("x.c", schema)


def test_objects_of_the_same_name_are_not_mistaken_for_each_other() -> None:
    node = object_of(inner={"$ref": "#/$defs/node"}, a={"type": "string"})
    schema = {**object_of(node=object_of(b={"type": "integer"}), deep={"$ref": "#/$defs/node"})}
    schema["$defs"] = {"node": node}
    assert type_of(schema, "x.node.b") == "int"
    assert type_of(schema, "x.deep.inner.inner.a") == "string"


def test_pydantic_models_schemas_are_schemas() -> None:
    class Part(pydantic.BaseModel):
        name: str
        parts: list[Part] = []

    class Whole(pydantic.BaseModel):
        part: Part | None
        kind: str = "a"

    schema = Whole.model_json_schema()
    assert type_of(schema, "x.part.parts[0].parts[0].name + x.kind") == "string"
    assert refused("x.part.parts[0].nme", schema)


@pytest.mark.parametrize(
    ("schema", "pointer", "hint"),
    [
        (7, "#", ""),
        ({"type": "strng"}, "#/type", "did you mean `string`?"),
        ({"type": []}, "#/type", ""),
        ({"type": ["string", 7]}, "#/type/1", ""),
        (object_of(a={"type": "text"}), "#/properties/a/type", ""),
        (object_of(**{"a/b": 7}), "#/properties/a~1b", ""),
        ({"properties": []}, "#/properties", ""),
        ({"required": "a"}, "#/required", ""),
        ({"additionalProperties": "no"}, "#/additionalProperties", ""),
        ({"patternProperties": {"^a": 1}}, "#/patternProperties/^a", ""),
        ({"items": "string"}, "#/items", ""),
        ({"enum": []}, "#/enum", ""),
        ({"anyOf": {}}, "#/anyOf", ""),
        ({"allOf": [{}, 1]}, "#/allOf/1", ""),
        ({"$ref": "#/$defs/None"}, "#/$ref", ""),
        ({"$ref": "https://elsewhere/"}, "#/$ref", "such as `#/$defs/Task`"),
        ({"$ref": 7}, "#/$ref", "such as `#/$defs/Task`"),
    ],
)
def test_what_is_no_schema_is_told_by_its_pointer(schema: Any, pointer: str, hint: str) -> None:
    with pytest.raises(CompileError) as raised:
        cel.json_schema(schema)
    (issue,) = raised.value.issues
    assert issue.code == "invalid_schema"
    assert issue.message.startswith(f"`{pointer}`: ")
    assert issue.hint == hint


def test_all_that_is_wrong_is_told() -> None:
    with pytest.raises(CompileError) as raised:
        cel.json_schema(object_of(a={"type": "x"}, b={"type": "y"}))
    assert len(raised.value.issues) == 2


def test_schemas_are_bounded() -> None:
    deep: Any = {"type": "string"}
    for _ in range(100):
        deep = {"items": deep}
    twice: Any = {"type": "string"}
    for _ in range(30):
        twice = object_of(a=twice, b=twice)
    within: Any = {"type": "string"}
    for _ in range(10_000):
        within = {"anyOf": [within]}
    for schema, limits in (
        (deep, Limits()),
        (twice, Limits(expression_nodes=1_000)),
        (within, Limits()),
    ):
        with pytest.raises(CompileError):
            cel.json_schema(schema, limits=limits)


def test_a_reference_used_often_is_read_once() -> None:
    defs = {
        f"T{n}": object_of(a={"$ref": f"#/$defs/T{n + 1}"}, b={"$ref": f"#/$defs/T{n + 1}"})
        for n in range(25)
    }
    defs["T25"] = {"type": "string"}
    assert type_of({"$ref": "#/$defs/T0", "$defs": defs}, "x" + ".a.b" * 12 + ".a") == "string"


def test_the_properties_of_a_schema_are_variables() -> None:
    assert {name: str(found) for name, found in schema_variables(TASK).items()}["team"] == "Team"
    with pytest.raises(CompileError, match="properties"):
        schema_variables({"type": "string"})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from(["#", "object", "string", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "items",
                    "anyOf",
                    "allOf",
                    "$ref",
                    "enum",
                    "required",
                    "const",
                ]
                + ["additionalProperties", "prefixItems", "nullable", "patternProperties", "$id"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_a_type_or_refused(schema: Any) -> None:
    try:
        cel.json_schema(schema)
    except CompileError as error:
        assert all(issue.message.startswith("`#") for issue in error.issues)


def test_many_objects_take_no_long_time(monkeypatch):
    """Ten times as many take some ten times the work, not a hundred: calls, and fields copied."""
    made = schemas.object_type

    def work(count: int) -> int:
        objects = [{"properties": {f"p{number}": {"type": "string"}}} for number in range(count)]
        schema = {"properties": {"all": {"allOf": objects}, "one": {"oneOf": objects}}}
        done = 0

        def counted(name: str, fields: Any, **more: Any) -> Any:
            nonlocal done
            done += len(fields)
            return made(name, fields, **more)

        def count_call(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal done
            done += event == "call"

        monkeypatch.setattr(schemas, "object_type", counted)
        sys.setprofile(count_call)
        try:
            found = cel.json_schema(schema)
        finally:
            sys.setprofile(None)
        assert found.fields is not None and len(found.fields["all"].fields) == count
        return done

    assert work(3_000) < 20 * work(300)
