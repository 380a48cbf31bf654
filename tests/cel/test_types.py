from __future__ import annotations

import copy
import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given

from taskman_authz.cel.notation import parse_signature, parse_type
from taskman_authz.cel.types import (
    ANY,
    BOOL,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE_SIZE,
    Type,
    is_nullable,
    list_of,
    map_of,
    may_be_bool,
    message_type,
    object_type,
    opaque_type,
    optional_of,
    type_of,
    type_param,
    wrapper_of,
)
from taskman_authz.cel.unification import Substitution, assignable, is_as_general, most_general
from taskman_authz.errors import CompileError
from tests.cel.type_strategies import GENERIC_TYPES, GROUND_TYPES

A, B = type_param("A"), type_param("B")


# -- types ---------------------------------------------------------------------------------------


@given(GROUND_TYPES)
def test_what_a_type_writes_reads_back_as_the_same_object(type):
    assert parse_type(str(type)) is type


@given(GENERIC_TYPES)
def test_copies_and_pickles_of_a_type_are_the_type_itself(type):
    assert copy.copy(type) is type
    assert copy.deepcopy(type) is type
    assert pickle.loads(pickle.dumps(type)) is type


def test_threads_that_make_one_type_at_once_get_one_object():
    def make(number):
        return list_of(map_of(STRING, message_type(f"acme.Thing{number % 50}")))

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(2000)))
    assert len({id(type) for type in made}) == 50


def test_types_that_nobody_uses_are_forgotten():
    from taskman_authz.cel import types

    list_of(message_type("acme.NobodyUsesThis"))
    gc.collect()
    assert not any("NobodyUsesThis" in str(type) for type in types._interned.values())


def test_a_type_does_not_change():
    with pytest.raises(AttributeError):
        INT.name = "long"  # type: ignore[misc]


def test_objects_are_one_type_if_their_fields_are_the_same():
    one = object_type("Task", {"owner": STRING, "tags": list_of(STRING)})
    assert object_type("Task", {"tags": list_of(STRING), "owner": STRING}) is one
    assert object_type("Task", {"owner": STRING}) is not one
    assert str(one) == "Task"


def test_a_type_that_doubles_with_each_step_stays_small():
    type: Type = INT
    for _ in range(100):
        type = map_of(type, type)
    assert type.size <= TYPE_SIZE
    assert len(str(type)) < 2000


@pytest.mark.parametrize("type", [BOOL, wrapper_of(BOOL), DYN, ANY])
def test_a_condition_may_be_bool_or_unknown(type):
    assert may_be_bool(type)


@pytest.mark.parametrize(
    "type", [INT, NULL, STRING, list_of(BOOL), optional_of(BOOL), type_of(BOOL), ERROR]
)
def test_a_condition_may_not_be_anything_else(type):
    assert not may_be_bool(type)


# -- notation ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("map(string, list(int))", map_of(STRING, list_of(INT))),
        (" list ( dyn ) ", list_of(DYN)),
        ("list", list_of(DYN)),
        ("map", map_of(DYN, DYN)),
        ("timestamp", TIMESTAMP),
        ("google.protobuf.Timestamp", TIMESTAMP),
        ("google.protobuf.Int32Value", wrapper_of(INT)),
        ("google.protobuf.Struct", map_of(STRING, DYN)),
        ("null", NULL),
        ("optional(string)", optional_of(STRING)),
        ("acme.v1.Task", message_type("acme.v1.Task")),
        ("set(int)", opaque_type("set", INT)),
        ("type(int)", type_of(INT)),
        ("T", message_type("T")),
    ],
)
def test_types_are_written_as_in_the_language_definition(text, type):
    assert parse_type(text) is type


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "expected a type but found the end", 1),
        ("list(", "expected a type but found the end", 6),
        ("list(int", "expected `,` or `)` but found the end", 9),
        ("list(int))", "expected the end but found `)`", 10),
        ("list(int, int)", "`list` has 1 parameters, not 2", 1),
        ("map(int)", "`map` has 2 parameters, not 1", 1),
        ("map(int, wrapper(list))", "`list(dyn)` has no wrapper", 10),
        ("int(int)", "`int` has no parameters", 1),
        ("list<int>", "expected a type", 5),
        ("list(" * 60, "more than 50 parentheses inside one another", 256),
    ],
)
def test_a_text_that_is_no_type_is_refused_with_its_place(text, message, column):
    with pytest.raises(CompileError) as raised:
        parse_type(text)
    (issue,) = raised.value.issues
    assert (issue.message, issue.place.column) == (message, column)


def test_a_signature_says_target_arguments_and_result():
    parsed = parse_signature("map(A, B).(A) -> list(B)")
    assert parsed.member
    assert parsed.arguments == (map_of(A, B), A)
    assert parsed.result is list_of(B)
    assert not parse_signature("() -> int").member


@pytest.mark.parametrize("text", ["int", "(int) int", "int.int -> int", "(int) -> ", "-> int"])
def test_a_text_that_is_no_signature_is_refused(text):
    with pytest.raises(CompileError):
        parse_signature(text)


# -- what goes with what -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (INT, DYN),
        (INT, ANY),
        (INT, ERROR),
        (INT, wrapper_of(INT)),
        (NULL, wrapper_of(INT)),
        (NULL, message_type("Task")),
        (NULL, TIMESTAMP),
        (NULL, optional_of(INT)),
        (list_of(INT), list_of(DYN)),
        (map_of(DYN, INT), map_of(STRING, DYN)),
        (type_of(INT), type_of(STRING)),
        (object_type("Task", {"owner": STRING}), message_type("Task")),
    ],
)
def test_types_go_together_both_ways(one, other):
    assert assignable(one, other)
    assert assignable(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (INT, STRING),
        (INT, wrapper_of(STRING)),
        (NULL, INT),
        (NULL, list_of(INT)),
        (list_of(INT), list_of(STRING)),
        (list_of(INT), map_of(INT, INT)),
        (message_type("Task"), message_type("User")),
        (optional_of(INT), opaque_type("set", INT)),
        (opaque_type("tuple", INT), opaque_type("tuple", INT, INT)),
        (INT, type_of(INT)),
    ],
)
def test_types_do_not_go_together_either_way(one, other):
    assert not assignable(one, other)
    assert not assignable(other, one)


@given(GROUND_TYPES, GROUND_TYPES)
def test_whether_types_go_together_does_not_depend_on_the_side(one, other):
    assert assignable(one, one)
    assert assignable(one, other) is assignable(other, one)


@given(GROUND_TYPES, GROUND_TYPES)
def test_of_two_types_that_compare_the_wider_is_taken_from_either_side(one, other):
    assert is_as_general(one, one)
    if is_as_general(one, other) and not is_as_general(other, one):
        assert most_general(one, other) is one
        assert most_general(other, one) is one


@pytest.mark.parametrize(
    ("one", "other", "wider"),
    [
        (INT, DYN, DYN),
        (INT, wrapper_of(INT), wrapper_of(INT)),
        (NULL, wrapper_of(INT), wrapper_of(INT)),
        (NULL, message_type("Task"), message_type("Task")),
        (list_of(INT), list_of(DYN), list_of(DYN)),
    ],
)
def test_the_wider_of_two_types(one, other, wider):
    assert most_general(one, other) is wider
    assert most_general(other, one) is wider


@given(GROUND_TYPES)
def test_null_goes_with_what_is_nullable_and_nothing_else(type):
    assert assignable(NULL, type) is is_nullable(type)


# -- type parameters -----------------------------------------------------------------------------


def test_a_parameter_stands_for_what_it_meets():
    found = Substitution()
    assert found.assignable(list_of(INT), list_of(A))
    assert found.resolve(map_of(A, B)) is map_of(INT, B)
    assert found.ground(map_of(A, B)) is map_of(INT, DYN)


def test_a_parameter_widens_to_what_goes_with_all_it_meets():
    found = Substitution()
    assert found.all_assignable((INT, wrapper_of(INT), NULL), (A, A, A))
    assert found.resolve(A) is wrapper_of(INT)
    assert found.assignable(DYN, A)
    assert found.resolve(A) is DYN


def test_a_parameter_never_contains_itself():
    found = Substitution()
    assert not found.assignable(A, list_of(A))
    assert found.assignable(A, B)
    assert found.assignable(B, A)
    assert not found.assignable(list_of(B), A)


def test_parameters_of_both_sides_are_found():
    found = Substitution()
    assert found.assignable(map_of(A, INT), map_of(STRING, B))
    assert found.ground(map_of(A, B)) is map_of(STRING, INT)


@given(GENERIC_TYPES, GENERIC_TYPES)
def test_what_a_substitution_accepts_is_assignable_once_it_is_applied(one, other):
    found = Substitution()
    if found.assignable(one, other):
        assert assignable(found.ground(one), found.ground(other))


@given(GENERIC_TYPES, GENERIC_TYPES, GENERIC_TYPES, GENERIC_TYPES)
def test_a_test_that_fails_leaves_no_trace(one, other, third, fourth):
    found = Substitution()
    found.assignable(one, other)
    before = dict(found.bound)
    if not found.assignable(third, fourth):
        assert {name: found.resolve(name) for name in before} == {
            name: _resolved(before, name) for name in before
        }
        assert found.bound.keys() == before.keys()


def _resolved(bound, parameter):
    found = Substitution()
    found.bound = dict(bound)
    return found.resolve(parameter)


@given(GENERIC_TYPES, GENERIC_TYPES, GENERIC_TYPES)
def test_resolving_ends_and_is_final(one, other, third):
    found = Substitution()
    found.all_assignable((one, other), (other, third))
    resolved = found.resolve(one)
    assert found.resolve(resolved) is resolved
    assert not found.ground(one).generic
