from __future__ import annotations

import pytest

from taskman_authz._fast.values import type_name
from taskman_authz.cel.decls import (
    Declarations,
    FunctionDecl,
    Overload,
    VariableDecl,
    functions_of,
    overload,
)
from taskman_authz.cel.stdlib import (
    MIXED_NUMBER_ORDER,
    POLICY,
    POLICY_FUNCTIONS,
    STANDARD,
    STANDARD_FUNCTIONS,
    STANDARD_TYPES,
)
from taskman_authz.cel.types import BOOL, INT, STRING, list_of, type_of, type_param
from taskman_authz.errors import CompileError

# The functions of the language definition's "List of Standard Definitions".
FUNCTIONS = """
!_ -_ @in _!=_ _%_ _&&_ _*_ _+_ _-_ _/_ _<=_ _<_ _==_ _>=_ _>_ _?_:_ _[_] _||_
@not_strictly_false bool bytes contains double duration dyn endsWith getDate getDayOfMonth
getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth getSeconds
int matches size startsWith string timestamp type uint
""".split()


def _all_overloads(*tables):
    return [one for table in tables for function in table for one in function.overloads]


def test_all_functions_of_the_language_definition_are_declared():
    assert sorted(STANDARD.functions) == sorted(FUNCTIONS)


def test_every_overload_has_an_id_of_its_own():
    ids = [
        one.id for one in _all_overloads(STANDARD_FUNCTIONS, MIXED_NUMBER_ORDER, POLICY_FUNCTIONS)
    ]
    assert len(ids) == len(set(ids))


def test_every_parameter_of_a_result_occurs_in_the_arguments():
    for one in _all_overloads(STANDARD_FUNCTIONS, POLICY_FUNCTIONS):
        assert one.result.generic <= any(argument.generic for argument in one.arguments), one


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "a", b"a", [1], {1: 1}])
def test_the_type_of_every_value_has_a_name(value):
    assert type_name(value) in {declared.name for declared in STANDARD_TYPES}


def test_a_policy_may_ask_a_list_whether_it_contains_something():
    contains = POLICY.functions["contains"]
    assert [str(one) for one in contains.overloads] == [
        "string.(string) -> bool",
        "list(A).(A) -> bool",
    ]
    assert [one.id for one in STANDARD.functions["contains"].overloads] == ["contains_string"]


def test_a_table_gives_one_function_for_its_lines():
    (found,) = functions_of("""
        near   near_int      (int, int) -> bool
        near   near_member   int.(int) -> bool
    """)
    assert found == FunctionDecl(
        "near",
        (
            Overload("near_int", (INT, INT), BOOL),
            Overload("near_member", (INT, INT), BOOL, member=True),
        ),
    )


def test_an_overload_writes_its_signature():
    assert str(overload("first", "list(A).() -> A")) == "list(A).() -> A"
    assert overload("first", "list(A).() -> A").arguments == (list_of(type_param("A")),)


def test_an_overload_is_not_declared_in_two_ways():
    declared = FunctionDecl("near", (overload("near_int", "(int, int) -> bool"),))
    other = FunctionDecl("near", (overload("near_int", "(int) -> bool"),))
    assert Declarations(functions=[declared, declared]).functions["near"].overloads
    with pytest.raises(CompileError) as raised:
        Declarations(functions=[declared, other])
    (issue,) = raised.value.issues
    assert issue.message == "overload `near_int` of `near` is declared twice"


def test_more_declarations_leave_the_ones_they_extend_as_they_are():
    extended = STANDARD.extended(
        [VariableDecl("x", INT)], functions_of("size size_int (int) -> int")
    )
    assert extended.find_ident("x") is not None
    assert STANDARD.find_ident("x") is None
    assert len(extended.functions["size"].overloads) == 9
    assert len(STANDARD.functions["size"].overloads) == 8


def test_types_are_names():
    found = STANDARD.find_ident("string")
    assert found is not None
    assert found.type is type_of(STRING)
