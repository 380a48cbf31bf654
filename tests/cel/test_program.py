"""A program takes plain Python values and gives plain Python values, or says where it failed."""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType, SimpleNamespace
from uuid import UUID

import pydantic
import pytest
from hypothesis import given

from taskman_authz import cel
from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import MixedMap
from taskman_authz.cel import Env, UInt, ext
from taskman_authz.errors import AuthzError, EvaluationError
from tests.core.strategies import VALUES, same

IDENTITY = Env({"x": "dyn"}).compile("x")


class Level(enum.Enum):
    HIGH = 3


class Colour(enum.StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Address:
    city: str
    since: datetime


class User(pydantic.BaseModel):
    id: int
    level: Level = Level.HIGH


def failure(text, variables=None):
    with pytest.raises(EvaluationError) as raised:
        cel.evaluate(text, variables)
    return raised.value


# -- values in and out -------------------------------------------------------------------------


def out(value):
    """What a caller gets for a core value."""
    if type(value) is Timestamp:
        return cel.Timestamp.from_nanoseconds(value.ns)
    if type(value) is Duration:
        return cel.Duration.from_nanoseconds(value.ns)
    if isinstance(value, (list, tuple)):
        return [out(member) for member in value]
    if isinstance(value, dict):
        return {key: out(member) for key, member in value.items()}
    return value


@given(VALUES)
def test_a_value_comes_out_as_it_went_in(value):
    found = IDENTITY.evaluate({"x": value})
    assert same(found, out(value))
    assert same(IDENTITY.evaluate({"x": found}), found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Level.HIGH, 3),
        (Colour.RED, "red"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        ({"b", "a"}, ["a", "b"]),
        ((1, (2,)), [1, [2]]),
        (OrderedDict(a=(1,)), {"a": [1]}),
        (MappingProxyType({"a": MappingProxyType({"b": {1}})}), {"a": {"b": [1]}}),
        ([Level.HIGH, {"k": Colour.RED}], [3, {"k": "red"}]),
        (datetime(2026, 1, 1, tzinfo=UTC), cel.Timestamp(2026, 1, 1, tzinfo=UTC)),
        ([timedelta(hours=1)], [cel.Duration(hours=1)]),
    ],
)
def test_whatever_goes_in_plain_values_come_out(value, expected):
    found = IDENTITY.evaluate({"x": value})
    assert same(found, expected)


def test_an_object_of_the_callers_comes_out_as_itself():
    user = User(id=1)
    assert IDENTITY.evaluate({"x": user}) is user
    assert cel.evaluate("[x]", {"x": user})[0] is user


def test_objects_are_read_by_attribute():
    address = Address("Rome", datetime(2020, 1, 1, tzinfo=UTC))
    values = {"a": address, "u": User(id=7)}
    assert cel.evaluate("a.city + string(u.id) + string(u.level)", values) == "Rome73"
    assert cel.evaluate("a.since < timestamp('2021-01-01T00:00:00Z') && has(u.id)", values) is True
    assert cel.evaluate(
        "size(a) == 2 && 'city' in a && a == {'city': 'Rome', 'since': a.since}", values
    )
    assert cel.evaluate("type(a) == map && a.map(k, k) == ['city', 'since']", values) is True


def test_a_uint_stays_one():
    assert type(cel.evaluate("x + 1u", {"x": UInt(1)})) is UInt
    assert type(cel.evaluate("[1u]")[0]) is UInt


def test_bools_and_numbers_as_keys_come_out_apart():
    found = cel.evaluate("{true: [x], 1: 'b'}", {"x": (1,)})
    assert type(found) is MixedMap and same(found.items(), [(True, [[1]]), (1, "b")])
    assert same(cel.evaluate("{true: 'a'}"), {True: "a"})
    assert same(cel.evaluate("{1: 'a'}"), {1: "a"})


def test_results_are_the_callers_to_change():
    program = Env({"x": "dyn"}).compile("{'given': x, 'made': [[1], {'a': 2}]}")
    given = {"list": [1, [2]], "map": {"k": [3]}}
    for _ in range(2):
        found = program.evaluate({"x": given})
        assert found == {
            "given": {"list": [1, [2]], "map": {"k": [3]}},
            "made": [[1], {"a": 2}],
        }
        found["given"]["list"][1].append(9)
        found["given"]["map"]["k"].clear()
        found["made"][0].append(9)
        found["made"][1]["a"] = 9
    assert given == {"list": [1, [2]], "map": {"k": [3]}}


# -- errors ------------------------------------------------------------------------------------


def test_an_error_has_a_code_a_message_and_a_place():
    found = failure("1 +\n  x.size", {"x": {}})
    assert isinstance(found, AuthzError)
    assert (found.code, found.position) == ("no_such_key", 8)
    assert (found.place.line, found.place.column) == (2, 5)
    assert str(found).splitlines() == [
        "<expression>:2:5: error: no such key: `'size'` [no_such_key]",
        "  |   x.size",
        "  |     ^",
    ]


def test_an_error_names_the_source():
    program = Env().compile("1 / 0", name="policies/a.yaml")
    with pytest.raises(EvaluationError, match=r"^policies/a.yaml:1:3: error: division by zero"):
        program.evaluate()


@pytest.mark.parametrize(
    ("text", "value", "code", "caret"),
    [
        ("x", 2**63, "overflow", 0),
        ("1 + x", object(), "unsupported_type", 4),
        ("x.a", {}, "no_such_key", 2),
        ("x.a.b", {"a": {}}, "no_such_key", 4),
        ("x.a", 1, "no_such_overload", 2),
        ("[x][1]", 1, "index_out_of_range", 3),
        ("x[0]", [object()], "unsupported_type", 1),
        ("x + 1", 2**63 - 1, "overflow", 2),
        ("x % 0", 1, "modulus_by_zero", 2),
        ("-x", -(2**63), "overflow", 0),
        ("x < 'a'", 1, "no_such_overload", 2),
        ("x && true", 1, "no_such_overload", 2),
        ("x ? 1 : 2", 1, "no_such_overload", 2),
        ("{x: 1}", 1.5, "no_such_overload", 0),
        ("{x: 1, 'a': 2}", "a", "duplicate_key", 0),
        ("1 + int(x)", "seven", "invalid_argument", 4),
        ("'a'.matches(x)", "(", "invalid_regex", 4),
        ("'a'.startsWith(x)", 1, "no_such_overload", 4),
        ("x.exists(e, e > 1)", 5, "no_such_overload", 2),
        ("[1].map(e, e + x)", "a", "no_such_overload", 13),
        ("x == [1]", [object()], "unsupported_type", 2),
        ("1 in x", [object()], "unsupported_type", 2),
        ("1 + size(x)", 1, "no_such_overload", 4),
        ("x", [2**63], "overflow", 0),
        ("[x]", {"a": [object()]}, "unsupported_type", 0),
    ],
)
def test_an_error_has_its_caret_under_what_failed(text, value, code, caret):
    found = failure(text, {"x": value})
    assert found.code == code
    assert found.position == caret, str(found)


def test_a_message_names_types_of_the_language_only():
    for value in (SimpleNamespace(a=1), Address("Rome", datetime.now(UTC)), MappingProxyType({})):
        assert "`(map, int)`" in failure("x + 1", {"x": value}).message
        assert "`(map, int)`" in failure("x < 1", {"x": value}).message


def test_a_variable_that_is_not_given_is_an_error():
    found = failure_of(Env({"x": "int", "y": "int"}).compile("x + y"), {"x": 1})
    assert (found.code, found.position) == ("no_such_attribute", 4)
    found = failure_of(Env({"x": "int"}).compile("x"), None)
    assert found.code == "no_such_attribute"


def test_variables_that_cannot_be_read_are_an_error():
    class Broken(dict):
        def get(self, key, default=None):
            raise RuntimeError("the connection is gone")

    found = failure_of(Env({"x": "int"}).compile("1 + x"), Broken(x=1))
    assert (found.code, found.position) == ("unreadable", 4)
    assert failure_of(Env({"x": "int"}).compile("1 + x"), 5).code == "no_such_overload"


def test_variables_may_be_the_attributes_of_an_object():
    assert Env({"x": "int"}).compile("1 + x").evaluate(SimpleNamespace(x=1)) == 2


def failure_of(program, variables):
    with pytest.raises(EvaluationError) as raised:
        program.evaluate(variables)
    return raised.value


def test_a_value_that_contains_itself_is_an_error():
    value: list[object] = []
    value.append(value)
    assert failure("x", {"x": value}).code == "limit_exceeded"
    assert failure("x == [x]", {"x": value}).code == "limit_exceeded"


def test_faults_that_another_operand_decides_are_no_errors():
    assert cel.evaluate("x.a == 1 || true", {"x": {}}) is True
    assert cel.evaluate("1 / 0 > 1 && false") is False
    assert cel.evaluate("[0, 1].exists(e, 1 / e == 1)") is True
    assert cel.evaluate("[0, 1].all(e, 1 / e == 2)") is False


def test_null_is_neither_true_nor_false():
    assert failure("x.approved && true", {"x": {"approved": None}}).code == "no_such_overload"
    assert failure("x.denied || false", {"x": {"denied": None}}).code == "no_such_overload"


def test_a_program_shows_its_text_and_type():
    assert repr(Env().compile("1 + 1")) == "<Program '1 + 1': int>"


def test_the_value_of_the_core_may_be_had():
    assert Env().compile("1 / 0").value({}).code == "division_by_zero"
    assert same(Env().compile("duration('1s')").value({}), Duration(1_000_000_000))


class Changing(Mapping):
    """A caller's map that changes another while it is read."""

    def __init__(self, change):
        self.change = change

    def __getitem__(self, key):
        return {"a": 1}[key]

    def __iter__(self):
        self.change()
        return iter(["a"])

    def __len__(self):
        return 1


def test_a_map_that_changes_while_it_is_given_back_is_given_as_it_was():
    outer = {}
    outer |= {"x": Changing(outer.clear), "y": 2}
    assert IDENTITY.evaluate({"x": outer}) == {"x": {"a": 1}, "y": 2}
    assert outer == {}
    outer |= {"x": Changing(lambda: outer.update(z=3)), "y": 2}
    assert IDENTITY.evaluate({"x": [outer]}) == [{"x": {"a": 1}, "y": 2}]


def test_a_list_that_grows_while_it_is_given_back_is_given_as_it_was():
    outer = []
    outer.append(Changing(lambda: outer.append(outer[0])))
    assert IDENTITY.evaluate({"x": outer}) == [{"a": 1}]
    assert len(outer) == 2


def test_a_map_that_changes_while_its_entries_are_inserted_is_inserted_as_it_was():
    class Key(int):
        def __int__(self):
            outer.clear()
            return 7

    outer = {Key(7): 1, Key(8): 2}
    env = Env({"x": "dyn"}, libraries=[ext.COMPREHENSIONS])
    found = failure_of(env.compile("[x].transformMapEntry(i, v, v)"), {"x": outer})
    assert found.code == "duplicate_key"
    assert outer == {}
