from __future__ import annotations

import pytest

from taskman_authz._fast.tree import Comprehension, ListExpr, Literal
from taskman_authz.cel.checker import check, check_condition
from taskman_authz.cel.decls import Declarations, FunctionDecl, VariableDecl, functions_of, overload
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.cel.stdlib import MIXED_NUMBER_ORDER, POLICY, STANDARD
from taskman_authz.cel.types import DYN, STRING, list_of, type_param
from taskman_authz.limits import Limits
from tests.cel.checking import DECLARATIONS, checked, issues, overloads_of, type_of

# -- what expressions are --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("null", "null_type"),
        ("true", "bool"),
        ("1", "int"),
        ("1u", "uint"),
        ("1.5", "double"),
        ("'a'", "string"),
        ("b'a'", "bytes"),
        ("[]", "list(dyn)"),
        ("[1, 2]", "list(int)"),
        ("[1, 'a']", "list(dyn)"),
        ("[1, null]", "list(dyn)"),
        ("[[], [1]]", "list(list(int))"),
        ("[[[[[]]]], [], [[[]]]]", "list(list(list(list(list(dyn)))))"),
        ("[wi, 1]", "list(wrapper(int))"),
        ("[1, wi]", "list(wrapper(int))"),
        ("[wi, x]", "list(dyn)"),
        ("[now, null]", "list(google.protobuf.Timestamp)"),
        ("{}", "map(dyn, dyn)"),
        ("{'a': 1}", "map(string, int)"),
        ("{'a': 1, 2: 'b'}", "map(dyn, dyn)"),
        ("{'a': 1, 'b': x}", "map(string, dyn)"),
        ("i + 1", "int"),
        ("wi + 1", "int"),
        ("x + 1", "int"),
        ("x + x", "dyn"),
        ("now - now", "google.protobuf.Duration"),
        ("ints + []", "list(int)"),
        ("[] + ints", "list(int)"),
        ("ints[0]", "int"),
        ("ages['bob']", "int"),
        ("ages.bob", "int"),
        ("attributes.anything.else", "dyn"),
        ("x.y[0].z", "dyn"),
        ("task.owner", "string"),
        ("task.tags[0]", "string"),
        ("task.parent.parent.owner", "string"),
        ("user.id", "string"),
        ("user.whatever", "dyn"),
        ("has(task.owner)", "bool"),
        ("b ? 1 : 2", "int"),
        ("b ? wi : 1", "wrapper(int)"),
        ("b ? wi : null", "wrapper(int)"),
        ("b ? x : 1", "dyn"),
        ("b ? dyn(1) : 'a'", "dyn"),
        ("i == 1 && s == 'a' || b", "bool"),
        ("1 < 2.0 && 1u < 2 && 1.0 < 2u", "bool"),
        ("type(1)", "type(int)"),
        ("type(i) == int", "bool"),
        ("[type(1), type('a')]", "list(type(int))"),
        ("google.protobuf.Timestamp", "type(google.protobuf.Timestamp)"),
        ("1 in ints", "bool"),
        ("'a' in ages", "bool"),
        ("size(ints) + ints.size()", "int"),
        ("now.getHours('Europe/Berlin')", "int"),
        ("duration('1h').getHours()", "int"),
        ("ints.map(n, string(n))", "list(string)"),
        ("ints.filter(n, n > 1)", "list(int)"),
        ("ints.all(n, n > 1)", "bool"),
        ("ages.exists(name, name == 'bob')", "bool"),
        ("ages.map(name, ages[name])", "list(int)"),
        ("x.map(n, n)", "list(dyn)"),
        ("[].map(n, n)", "list(dyn)"),
        ("[].map(n, n + 1)", "list(int)"),
        ("[1].map(n, [n, n]).map(n, [n, n])", "list(list(list(int)))"),
        ("optional.none()", "optional_type(dyn)"),
        ("[optional.none(), optional.of(1)]", "list(optional_type(int))"),
        ("maybe.key", "optional_type(string)"),
        ("ages.?bob", "optional_type(int)"),
        ("maybe.?key", "optional_type(string)"),
        ("has(maybe.key)", "bool"),
        ("[?ages.?bob, 1]", "list(int)"),
        ("{?'a': ages.?bob}", "map(string, int)"),
    ],
)
def test_the_type_of_an_expression(text, type):
    assert type_of(text) == type


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("1 + 2", ("add_int64",)),
        ("1 == 2", ("equals",)),
        ("s.contains('a')", ("contains_string",)),
        ("size(ints)", ("size_list",)),
        ("ints.size()", ("list_size",)),
        ("b && b", ("logical_and",)),
        ("b ? 1 : 2", ("conditional",)),
        ("x < 2.0", ("less_double", "less_uint64_double", "less_int64_double")),
        ("x.size()", ("bytes_size", "list_size", "map_size", "string_size")),
        ("x in ints", ("in_list",)),
        ("x.?y", ("select_optional_field",)),
    ],
)
def test_a_call_names_the_overloads_that_it_may_come_to(text, ids):
    assert sorted(overloads_of(text)) == sorted(ids)


def test_contains_on_a_list_is_for_policies_only():
    declarations = POLICY.extended([VariableDecl("roles", list_of(STRING))])
    assert overloads_of("roles.contains('admin')", declarations) == ("list_contains",)
    assert issues("strings.contains('admin')")


def test_numbers_of_different_types_are_only_ordered_where_that_is_declared():
    without = {one.id for function in MIXED_NUMBER_ORDER for one in function.overloads}
    functions = [
        FunctionDecl(name, tuple(one for one in found.overloads if one.id not in without))
        for name, found in STANDARD.functions.items()
    ]
    assert issues("1 < 2.0", Declarations(functions=functions))
    assert type_of("1 < 2", Declarations(functions=functions)) == "bool"


# -- what is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("task.ownr", 6, "undefined field `ownr` of `Task`", "did you mean `owner`?"),
        ("taks.owner", 1, "undeclared reference to `taks`", "did you mean `task`?"),
        ("task.parent.sise", 13, "undefined field `sise` of `Task`", "did you mean `size`?"),
        (
            "s.startswith('a')",
            3,
            "undeclared reference to the function `startswith`",
            "did you mean `startsWith`?",
        ),
        (
            "ints.exist(1, 2)",
            6,
            "undeclared reference to the function `exist`",
            "did you mean `exists`?",
        ),
        (
            "i + s",
            3,
            "no matching overload for `+` applied to `(int, string)`",
            "it takes `(int, int) -> int`, `(string, string) -> string` and 7 more",
        ),
        (
            "s.startsWith(1)",
            3,
            "no matching overload for `startsWith` applied to `string.(int)`",
            "it takes `string.(string) -> bool`",
        ),
        (
            "now + 5",
            5,
            "no matching overload for `+` applied to `(timestamp, int)`",
            "it takes `(timestamp, duration) -> timestamp`, `(int, int) -> int` and 7 more",
        ),
        (
            "i == s",
            3,
            "`==` compares `int` with `string`, which are never equal",
            "convert one of them, or write `dyn(…)` around it",
        ),
        (
            "b ? 1 : 'a'",
            3,
            "the branches of `?:` have different types, `int` and `string`",
            "`dyn(…)` around one of them allows it",
        ),
        ("i ? 1 : 2", 1, "expected `bool` but found `int`", ""),
        ("i && b", 1, "expected `bool` but found `int`", ""),
        ("b || s", 6, "expected `bool` but found `string`", ""),
        ("ints.all(n, n)", 13, "expected `bool` but found `int`", ""),
        ("ints.filter(n, n)", 16, "expected `bool` but found `int`", ""),
        ("i.all(n, true)", 1, "`int` cannot be iterated over", "a list, a map or a dyn value can"),
        ("s.length", 3, "`string` has no fields, so `.length` cannot be read", ""),
        ("[].length", 4, "`list(dyn)` has no fields, so `.length` cannot be read", ""),
        ("[?1]", 3, "expected an optional value behind `?` but found `int`", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_a_hint(text, column, message, hint):
    (issue,) = checked(text).issues
    assert (issue.place.column, issue.message, issue.hint) == (column, message, hint)


def test_all_issues_are_reported_in_their_order():
    assert issues("task.ownr == 1 && nobody.x > 2 || ints.all(n, n + 'a') || 1 + 1u == 2") == [
        (6, "undefined field `ownr` of `Task`"),
        (19, "undeclared reference to `nobody`"),
        (49, "no matching overload for `+` applied to `(int, string)`"),
        (61, "no matching overload for `+` applied to `(int, uint)`"),
    ]


def test_one_mistake_is_reported_once():
    assert len(issues("(nobody.x + 1 > 2 && nobody_else) == (size(task.ownr) > 1)")) == 3


def test_the_number_of_issues_is_bounded():
    source = Source(" + ".join(["nobody"] * 50))
    found = check(parse(source).expr, source, STANDARD, Limits(issues=10))
    assert len(found.issues) == 10


def test_two_variables_of_a_macro_have_two_names():
    true, one = Literal(1, 0, True), Literal(2, 0, 1)
    tree = Comprehension(
        5, 0, ListExpr(3, 0, (one,)), "n", "n", "r", true, Literal(6, 0, True), true, true
    )
    found = check(tree, Source("two"), STANDARD)
    assert [issue.message for issue in found.issues] == ["`n` names two variables of one macro"]


@pytest.mark.parametrize("text", ["true", "x", "x.y", "b && b", "dyn(1)", "optional.of(true) == x"])
def test_a_condition_that_may_be_true_is_accepted(text):
    source = Source(text)
    assert not check_condition(parse(source).expr, source, DECLARATIONS).issues


@pytest.mark.parametrize(
    "text", ["1", "'true'", "[true]", "null", "type(true)", "optional.of(true)"]
)
def test_a_condition_that_can_never_be_true_is_refused(text):
    source = Source(text)
    (issue,) = check_condition(parse(source).expr, source, DECLARATIONS).issues
    assert issue.code == "not_bool"


# -- declarations with type parameters -------------------------------------------------------------

GENERIC = STANDARD.extended(
    [VariableDecl("anything", type_param("T"))],
    [
        *functions_of("""
            tuple  tuple_T_U  (T, U) -> tuple(T, U)
            swap   swap_T_U   tuple(T, U).() -> tuple(U, T)
            same   same_T     tuple(T, T).() -> T
            none   none_T     () -> list(T)
        """),
        FunctionDecl("twice", (overload("twice_int", "(int) -> int"),)),
        FunctionDecl("twice", (overload("twice_string", "(string) -> string"),)),
    ],
)


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("tuple(1, 'a').swap()", "tuple(string, int)"),
        ("tuple(1, 2).same()", "int"),
        ("tuple(1, dyn(2)).same()", "dyn"),
        ("tuple([], [1]).same()", "list(int)"),
        ("tuple(none(), [1]).same()", "list(int)"),
        ("[tuple(1, 2u), tuple(dyn(1), dyn(2u))]", "list(tuple(dyn, dyn))"),
        ("none() + none()", "list(dyn)"),
        ("twice('a')", "string"),
        ("twice(dyn('a'))", "dyn"),
        ("anything.x + 1 == anything[0]", "bool"),
    ],
)
def test_type_parameters_stand_for_what_the_arguments_are(text, type):
    assert type_of(text, GENERIC) == type


def test_one_parameter_stands_for_one_type():
    assert issues("tuple(1, 'a').same()", GENERIC)


def test_what_is_remembered_of_one_expression_says_nothing_about_another():
    declarations = STANDARD.extended([VariableDecl("x", DYN)])
    for text, type in [
        ("[] + []", "list(dyn)"),
        ("[1] + []", "list(int)"),
        ("x + [1]", "list(int)"),
    ]:
        for _ in range(2):
            assert type_of(text, declarations) == type
