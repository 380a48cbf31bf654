from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.tree import Call, Comprehension, Expr, Ident, ListExpr, Literal, Select
from taskman_authz.cel.checker import check, check_condition
from taskman_authz.cel.containers import Container
from taskman_authz.cel.decls import (
    Declarations,
    FunctionDecl,
    VariableDecl,
    functions_of,
    overload,
)
from taskman_authz.cel.notation import parse_type
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.cel.stdlib import MIXED_NUMBER_ORDER, POLICY, STANDARD
from taskman_authz.cel.types import (
    DYN,
    INT,
    STRING,
    list_of,
    map_of,
    message_type,
    object_type,
    type_param,
    wrapper_of,
)
from taskman_authz.errors import CompileError
from taskman_authz.issues import Issues
from taskman_authz.limits import Limits

OPTIONALS = functions_of("""
optional.of     optional_of    (A) -> optional_type(A)
optional.none   optional_none  () -> optional_type(A)
""")

TASK = object_type(
    "Task",
    {"owner": STRING, "tags": list_of(STRING), "size": INT, "parent": message_type("Task")},
)
VARIABLES = {
    "i": "int",
    "u": "uint",
    "d": "double",
    "s": "string",
    "b": "bool",
    "x": "dyn",
    "wi": "wrapper(int)",
    "ints": "list(int)",
    "strings": "list(string)",
    "ages": "map(string, int)",
    "now": "timestamp",
    "attributes": "map(string, dyn)",
    "maybe": "optional(map(string, string))",
}
DECLARATIONS = STANDARD.extended(
    [
        *(VariableDecl(name, parse_type(type)) for name, type in VARIABLES.items()),
        VariableDecl("task", TASK),
        VariableDecl("user", object_type("User", {"id": STRING}, open=True)),
    ],
    OPTIONALS,
)


def checked(text, declarations=DECLARATIONS):
    source = Source(text)
    return check(parse(source).expr, source, declarations)


def type_of(text, declarations=DECLARATIONS):
    found = checked(text, declarations)
    assert not found.issues, found.issues.render()
    return str(found.type)


def issues(text, declarations=DECLARATIONS):
    return [(issue.place.column, issue.message) for issue in checked(text, declarations).issues]


def overloads_of(text, declarations=DECLARATIONS):
    """The overloads of the outermost call."""
    found = checked(text, declarations)
    return found.references[found.tree.id].overloads


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


# -- what names stand for --------------------------------------------------------------------------

NAMES = STANDARD.extended(
    [
        VariableDecl("a", map_of(STRING, STRING)),
        VariableDecl("a.b", INT),
        VariableDecl("pkg.a", DYN),
        VariableDecl("pkg.sub.a.b.c", list_of(INT)),
    ],
    functions_of("pkg.call pkg_call (int) -> int\ncall call_string (string) -> string"),
)


@pytest.mark.parametrize(
    ("text", "container", "type", "name"),
    [
        ("a", "", "map(string, string)", "a"),
        ("a.b", "", "int", "a.b"),
        ("a.c", "", "string", None),
        ("a.b", "other", "int", "a.b"),
        ("a", "pkg", "dyn", "pkg.a"),
        (".a", "pkg", "map(string, string)", "a"),
        ("a.b.c", "pkg.sub", "list(int)", "pkg.sub.a.b.c"),
        ("sub.a.b.c", "pkg", "list(int)", "pkg.sub.a.b.c"),
        ("pkg.a.b", "", "dyn", None),
        (".a.b", "pkg.sub", "int", "a.b"),
    ],
)
def test_the_longest_declared_name_is_meant_first_in_the_innermost_container(
    text, container, type, name
):
    found = checked(text, NAMES.extended(container=Container(container)))
    assert not found.issues
    assert str(found.type) == type
    reference = found.references.get(found.tree.id)
    assert (reference.name if reference else None) == name


def test_the_parts_of_a_name_with_dots_have_no_type():
    found = checked("a.b", NAMES)
    assert found.types.keys() == {found.tree.id}


def test_a_presence_test_is_never_part_of_a_name():
    assert type_of("has(a.b)", NAMES) == "bool"


@pytest.mark.parametrize(
    ("text", "container", "name", "namespaced"),
    [
        ("call('a')", "", "call", False),
        ("pkg.call(1)", "", "pkg.call", True),
        ("call(1)", "pkg", "pkg.call", False),
        (".pkg.call(1)", "pkg", "pkg.call", True),
        ("sub.call('a')", "pkg", None, False),
    ],
)
def test_the_function_of_a_call_is_found_in_the_containers(text, container, name, namespaced):
    found = checked(text, NAMES.extended(container=Container(container)))
    reference = found.references.get(found.tree.id)
    assert (reference.name if reference else None) == name
    assert reference is None or reference.namespaced is namespaced


def test_an_alias_stands_for_the_first_part_of_a_name():
    declarations = NAMES.extended(container=Container("pkg", {"q": "pkg.sub.a"}))
    assert type_of("q.b.c", declarations) == "list(int)"


def test_the_variable_of_a_macro_hides_other_names():
    assert type_of("['x'].map(a, a)", NAMES) == "list(string)"
    assert type_of("[{'b': true}].map(a, a.b)", NAMES) == "list(bool)"
    assert type_of("['x'].map(a, .a.b)", NAMES) == "list(int)"
    assert type_of("['x'].map(a, 1u)[0] + 1u + uint(a.b)", NAMES) == "uint"


def test_a_name_that_a_macros_variable_would_hide_has_a_leading_dot():
    found = checked("['x'].map(a, .a)", NAMES)
    assert ".a" in {reference.name for reference in found.references.values()}


def test_the_variable_of_a_macro_is_gone_behind_it():
    assert issues("ints.all(n, n > 0) && n > 0") == [(23, "undeclared reference to `n`")]


class Messages:
    """A provider of one message and one enum."""

    FIELDS = {"id": INT, "name": STRING, "limit": wrapper_of(INT), "next": message_type("acme.M")}

    def find_type(self, name):
        return message_type(name) if name == "acme.M" else None

    def find_field(self, type_name, field):
        return self.FIELDS.get(field) if type_name == "acme.M" else None

    def field_names(self, type_name):
        return self.FIELDS

    def find_constant(self, name):
        return VariableDecl(name, INT, 7) if name == "acme.Color.RED" else None


MESSAGES = STANDARD.extended(
    [VariableDecl("m", message_type("acme.M"))], OPTIONALS, Container("acme"), Messages()
)


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("m.next.next.name", "string"),
        ("m.limit == null", "bool"),
        ("M", "type(acme.M)"),
        ("M{id: 1, name: 'a', limit: null, next: M{}}", "acme.M"),
        ("M{?id: optional.of(1)}.id", "int"),
        (".acme.M{}.name", "string"),
        ("Color.RED + 1", "int"),
        ("m == null", "bool"),
    ],
)
def test_messages_and_enums_come_from_the_provider(text, type):
    assert type_of(text, MESSAGES) == type


def test_an_enums_member_is_a_constant():
    found = checked("Color.RED", MESSAGES)
    assert found.references[found.tree.id].value == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("M{idd: 1}", "undefined field `idd` of `acme.M`"),
        ("m.nmae", "undefined field `nmae` of `acme.M`"),
        ("M{id: 'a'}", "the field `id` has the type `int` but is given `string`"),
        ("m{}", "`m` is a value of `acme.M`, not a type"),
        ("int{}", "`int` is not a message type"),
        ("N{}", "undeclared reference to `N` in the container `acme`"),
        ("M{?id: 1}", "expected an optional value behind `?` but found `int`"),
    ],
)
def test_a_wrong_message_is_reported(text, message):
    assert [said for _, said in issues(text, MESSAGES)] == [message]


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


# -- properties ------------------------------------------------------------------------------------

ATOMS = st.sampled_from(
    [
        "null",
        "true",
        "1",
        "2u",
        "1.5",
        "'a'",
        "b'a'",
        "[]",
        "{}",
        "i",
        "s",
        "x",
        "wi",
        "ints",
        "ages",
    ]
    + ["task", "maybe", "nobody", "n", "now", "int", "optional.none()"]
)
WRAPPINGS = st.sampled_from(
    ["({0} + {1})", "({0} == {1})", "({0} && {1})", "({0} ? {1} : {0})", "[{0}, {1}]", "{0}.owner"]
    + ["{{{0}: {1}}}", "{0}[{1}]", "({0} in {1})", "{0}.map(n, {1})", "{0}.all(n, {1})", "-{0}"]
    + ["{0}.filter(n, {1})", "size({0})", "type({0})", "dyn({0})", "has({0}.b)", "{0}.?c", "!{0}"]
    + ["[?{0}]", "{0}.exists_one(m, m == {1})", "optional.of({0})", "{0}.size()", "{0}[?{1}]"]
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.builds(
        lambda shape, one, two: shape.format(one, two), WRAPPINGS, inner, inner
    ),
    max_leaves=12,
)


@given(EXPRESSIONS)
def test_checking_gives_a_type_to_what_it_accepts_and_never_raises(text):
    source = Source(text)
    try:
        tree = parse(source).expr
    except CompileError:
        return
    found = check(tree, source, DECLARATIONS)
    assert isinstance(found.issues, Issues)
    assert not found.type.generic
    assert found.types[tree.id] is found.type
    assert not any(type.generic for type in found.types.values())
    if found.type.kind.name == "ERROR":
        assert found.issues


@given(EXPRESSIONS)
def test_checking_twice_says_the_same(text):
    try:
        first, second = checked(text), checked(text)
    except CompileError:
        return
    assert (first.types, first.references, first.issues) == (
        second.types,
        second.references,
        second.issues,
    )


@given(EXPRESSIONS)
def test_an_expression_over_dyn_is_accepted_wherever_one_over_typed_variables_is(text):
    loose = DECLARATIONS.extended([VariableDecl(name, DYN) for name in (*VARIABLES, "task")])
    try:
        if checked(text).issues:
            return
    except CompileError:
        return
    assert not checked(text, loose).issues


# -- sizes -----------------------------------------------------------------------------------------


def test_a_type_that_doubles_with_each_macro_is_checked_at_once():
    text = "[1]" + ".map(n, {n: n})" * 60
    assert type_of(text).startswith("list(map(map(")


def test_type_parameters_that_double_with_each_level_are_checked_at_once():
    levels = 40
    left = "".join(f"{{x{n}: " for n in range(levels)) + "0" + "}" * levels
    right = "".join(f"{{{{x{n + 1}: x{n + 1}}}: " for n in range(levels)) + "0" + "}" * levels
    text = f"{left} == {right}"
    for number in range(levels, -1, -1):
        text = f"[].exists(x{number}, {text})"
    assert checked(text).type


@pytest.mark.parametrize(
    "deepen",
    [
        lambda tree, id: Select(id, 0, tree, "f"),
        lambda tree, id: Call(id, 0, "!_", None, (tree,)),
        lambda tree, id: Call(id, 0, "size", tree, ()),
        lambda tree, id: ListExpr(id, 0, (tree,)),
    ],
)
def test_a_tree_that_no_parser_has_bounded_is_an_issue_at_most(deepen):
    nodes: list[Expr] = [Ident(1, 0, "x")]
    for id in range(2, 20_000):
        nodes.append(deepen(nodes[-1], id))
    found = check(nodes[-1], Source("x"), DECLARATIONS)
    assert all(issue.code == "limit_exceeded" for issue in found.issues)
    del found
    while nodes:  # freed from the root down, one by one: not by a recursion in C
        nodes.pop()
