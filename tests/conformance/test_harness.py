"""The harness judges strictly: kinds apart are values apart, and gaps may only shrink."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from taskman_authz import cel
from taskman_authz.cel import Duration, Timestamp, UInt
from taskman_authz.cel.protobuf import EnumValue

from . import messages
from .cases import Case, read
from .fetch import Unavailable, verify
from .needs import needs
from .runner import Outcome, unexpected
from .types import type_text
from .values import DURATION, TIMESTAMP, actual_form, expected_form, python_value

SUITE = {
    "name": "conformance",
    "suites": [
        {
            "name": "basic",
            "suites": [
                {
                    "name": "section",
                    "tests": [
                        {"original": {"name": "one", "expr": "1", "value": {"int64Value": "1"}}},
                        {"original": {"name": "one", "expr": "true"}},
                        {"original": {"name": "bad", "expr": "1/0", "evalError": {"errors": []}}},
                    ],
                }
            ],
        }
    ],
}


def case(**fields: Any) -> Case:
    return Case(**{"name": "file/section/test", "expression": "true", **fields})


def outcome(status: Any, name: str = "file/section/test") -> Outcome:
    return Outcome(case(name=name), status)


def test_cases_have_unique_names_and_default_to_true() -> None:
    first, second, third = read(SUITE)
    assert [first.name, second.name] == ["basic/section/one", "basic/section/one#2"]
    assert second.value == {"boolValue": True}
    assert third.error and third.value is None


@pytest.mark.parametrize(
    ("json", "value"),
    [
        ({"nullValue": None}, None),
        ({"boolValue": True}, True),
        ({"int64Value": "-9223372036854775808"}, -(2**63)),
        ({"uint64Value": "18446744073709551615"}, UInt(2**64 - 1)),
        ({"doubleValue": "NaN"}, float("nan")),
        ({"doubleValue": "-0"}, -0.0),
        ({"stringValue": "a"}, "a"),
        ({"bytesValue": "AP8="}, b"\x00\xff"),
        ({"listValue": {"values": [{"int64Value": "1"}]}}, [1]),
        (
            {"mapValue": {"entries": [{"key": {"boolValue": True}, "value": {"nullValue": None}}]}},
            {True: None},
        ),
        (
            {"objectValue": {"@type": f"a/{TIMESTAMP}", "value": "0001-01-01T00:00:00Z"}},
            Timestamp(1, 1, 1, tzinfo=UTC),
        ),
        (
            {"objectValue": {"@type": f"a/{DURATION}", "value": "-1.000000001s"}},
            Duration.from_nanoseconds(-1_000_000_001),
        ),
    ],
)
def test_values_of_the_suite_are_our_values(json: Any, value: Any) -> None:
    assert expected_form(json) == actual_form(value)
    assert repr(actual_form(python_value(expected_form(json)))) != ""


@pytest.mark.parametrize(
    ("one", "other"), [(1, UInt(1)), (1, 1.0), (1, True), (0.0, -0.0), ("a", b"a"), ([], {})]
)
def test_kinds_apart_are_values_apart(one: Any, other: Any) -> None:
    assert actual_form(one) != actual_form(other)


def message(name: str, **fields: Any) -> dict[str, Any]:
    return {"objectValue": {"@type": f"type.googleapis.com/{name}", **fields}}


def test_messages_of_the_suite_are_compared_by_type_and_every_field() -> None:
    proto2, proto3 = (f"cel.expr.conformance.proto{n}.TestAllTypes" for n in (2, 3))
    try:
        form = expected_form(message(proto2, singleInt32=0, mapStringString={"a": "1", "b": "2"}))
    except Unavailable as error:
        pytest.skip(str(error))
    assert form == actual_form(python_value(form))
    others = [
        message(proto3, singleInt32=0, mapStringString={"a": "1", "b": "2"}),
        message(proto2, mapStringString={"a": "1", "b": "2"}),
        message(proto2, singleInt32=0, mapStringString={"a": "1"}),
    ]
    assert form not in [expected_form(other) for other in others]


def test_checker_cases_have_messages_of_their_own_names() -> None:
    try:
        env = cel.Env(messages=[messages.checker_files()], container="google.expr.proto3.test")
    except Unavailable as error:
        pytest.skip(str(error))
    assert str(env.check("TestAllTypes{single_int32: 1}.single_int64_wrapper").type) == (
        "wrapper(int)"
    )
    group = ".google.expr.proto2.test.TestAllTypes{}.nestedgroup.nested_id"
    assert str(env.check(group).type) == "int"


def test_enums_of_the_suite_are_no_ints() -> None:
    form = expected_form({"enumValue": {"type": "a.E", "value": 2}})
    assert form == actual_form(EnumValue("a.E", 2)) == actual_form(python_value(form))
    assert form not in (actual_form(2), actual_form(EnumValue("a.E", 3)))
    assert expected_form({"enumValue": {"type": "a.E"}}) == actual_form(EnumValue("a.E", 0))


def test_maps_have_no_order() -> None:
    assert actual_form({"a": 1, "b": 2}) == actual_form({"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, ()),
        ({"expression": "google.protobuf.Timestamp == type(t)"}, ()),
        ({"expression": "'google.protobuf.Any' == 'TestAllTypes'"}, ()),
        ({"expression": "google.protobuf.Int32Value{value: 1}"}, ("protobuf",)),
        ({"expression": "google.protobuf.Timestamp{seconds: 1}"}, ("protobuf",)),
        ({"container": "cel.expr.conformance.proto3"}, ("protobuf",)),
        ({"expression": "a.?b"}, ("optionals",)),
        ({"expression": "a ?b : c"}, ()),
        ({"expression": "[?a]"}, ("optionals",)),
        ({"name": "math_ext/a/b"}, ("math",)),
    ],
)
def test_needs_are_read_from_the_case(fields: Any, found: tuple[str, ...]) -> None:
    assert needs(case(**fields)) == found


def test_failure_that_is_not_a_known_gap_is_unexpected() -> None:
    assert unexpected([outcome("failed")], frozenset())
    assert not unexpected([outcome("failed")], frozenset({"file/section/test"}))


def test_pass_of_a_known_gap_is_unexpected() -> None:
    assert unexpected([outcome("passed")], frozenset({"file/section/test"}))
    assert not unexpected([outcome("skipped")], frozenset({"file/section/test"}))


def test_types_are_written_in_the_notation_of_the_language() -> None:
    inner = {"listType": {"elemType": {"primitive": "INT64"}}}
    mapped = {"mapType": {"keyType": {"primitive": "STRING"}, "valueType": inner}}
    assert type_text(mapped) == "map(string, list(int))"


def test_archive_that_is_not_the_pinned_one_is_refused(tmp_path: Any) -> None:
    archive = tmp_path / "package.tgz"
    archive.write_bytes(b"something else")
    with pytest.raises(Unavailable, match="not the archive that was pinned"):
        verify(archive)
