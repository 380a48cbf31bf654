"""An environment says what an expression may refer to, and compiles it or says what is wrong."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from taskman_authz import cel
from taskman_authz._fast import nodes
from taskman_authz._fast.access import EntityValue
from taskman_authz._fast.activation import Activation
from taskman_authz.cel import Env, Library, Source, ext, policy_env, policy_layout
from taskman_authz.cel.env import POLICY_VARIABLES
from taskman_authz.cel.types import INT, list_of
from taskman_authz.errors import CompileError, EvaluationError
from taskman_authz.limits import Limits


def refused(text, env=None, **how):
    """The issues of an expression that does not compile."""
    with pytest.raises(CompileError) as raised:
        (env or Env()).compile(text, **how)
    return list(raised.value.issues)


# -- variables ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "value", "text", "expected"),
    [
        ("int", 2, "x + 1", 3),
        ("uint", cel.UInt(2), "x + 1u", 3),
        ("list(string)", ["a"], "x[0] + 'b'", "ab"),
        ("map(string, list(int))", {"a": [1]}, "x.a[0]", 1),
        ("dyn", 2, "x + 1", 3),
        (list_of(INT), [2], "x[0]", 2),
    ],
)
def test_a_variable_has_a_type_in_notation_or_as_a_type(type, value, text, expected):
    assert Env({"x": type}).compile(text).evaluate({"x": value}) == expected


def test_variables_may_come_in_any_mapping():
    env = Env(MappingProxyType({"x": "int"}))
    assert env.compile("x").evaluate(MappingProxyType({"x": 1})) == 1


def test_a_type_that_is_none_is_refused():
    with pytest.raises(CompileError, match="list"):
        Env({"x": "list(int"})


@pytest.mark.parametrize(
    ("type", "name", "column", "hint"),
    [
        ("lst(string)", "lst", 1, "did you mean `list`?"),
        ("map(string, strng)", "strng", 13, "did you mean `string`?"),
        ("list(map(int, optional(net.IP())))", "net.IP", 24, ""),
        ("acme.Order", "acme.Order", 1, ""),
    ],
)
def test_a_type_that_nobody_declares_is_refused(type, name, column, hint):
    with pytest.raises(CompileError) as raised:
        Env({"x": type, "y": "int"})
    (issue,) = raised.value.issues
    assert (issue.message, issue.hint) == (f"unknown type `{name}`", hint)
    assert (issue.place.source, issue.place.column) == ("<type of x>", column)


def test_types_that_libraries_and_functions_declare_are_known():
    assert Env({"x": "net.IP()"}, libraries=[ext.NETWORK]).compile("x.family() == 4")
    made = cel.function("made", "(int) -> acme.Vector(int)", lambda number: number)
    assert Env({"x": "list(acme.Vector(int))"}, libraries=[made]).compile("x[0] == made(1)")


def test_a_program_knows_the_type_that_it_gives():
    assert str(Env({"x": "int"}).compile("{'a': [x]}").type) == "map(string, list(int))"
    assert str(Env({"x": "int"}).compile("{'a': [x]}", check=False).type) == "dyn"


def test_environments_do_not_share_their_variables():
    one = Env({"x": "int"})
    Env({"x": "string", "y": "string"})
    assert one.compile("x + 1").evaluate({"x": 1}) == 2
    assert [issue.code for issue in refused("y", one)] == ["undeclared_reference"]


# -- what is wrong -----------------------------------------------------------------------------


def test_all_issues_are_reported_each_with_its_place():
    issues = refused("nobody == 1 &&\n  x.startsWith(2) && missing(3)", Env({"x": "string"}))
    assert [(issue.place.line, issue.place.column) for issue in issues] == [
        (1, 1),
        (2, 5),
        (2, 22),
    ]


def test_an_issue_shows_the_line_with_a_caret():
    with pytest.raises(CompileError) as raised:
        Env().compile("1 +\n  nobody", name="rule")
    assert str(raised.value).splitlines()[:3] == [
        "rule:2:3: error: undeclared reference to `nobody` [undeclared_reference]",
        "  |   nobody",
        "  |   ^",
    ]


def test_a_source_has_the_place_of_its_own():
    issues = refused(Source("1 +", "policies/a.yaml"))
    assert str(issues[0].place) == "policies/a.yaml:1:4"


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("text", ["", "1 +", "(", "1 2", "a.", "'abc", "[1, }", "x = 1", "1..2"])
def test_syntax_is_checked_in_any_case(text, check):
    assert refused(text, check=check)


def test_without_a_check_only_syntax_is():
    program = Env().compile("nobody + 1 == 'a'", check=False)
    with pytest.raises(EvaluationError, match="nobody"):
        program.evaluate()
    with pytest.raises(EvaluationError, match="no matching overload"):
        Env().compile("1 + 'a'", check=False).evaluate()
    assert Env().compile("nobody + 1", check=False).evaluate({"nobody": 1}) == 2


def test_limits_are_the_environments():
    short = Env(limits=Limits(expression_length=5))
    assert [issue.code for issue in refused("1 + 1 + 1", short)] == ["limit_exceeded"]
    assert [issue.code for issue in refused("[[[[1]]]]", Env(limits=Limits(expression_depth=3)))]


# -- optional values ---------------------------------------------------------------------------

OPTIONAL = [
    ("{'a': 1}.?a", 10),
    ("{'a': 1}[?'a']", 10),
    ("[?{'a': 1}]", 2),
    ("{?'a': {'b': 1}}", 2),
    ("a.b.C{?x: 1}", 7),
    ("[1].map(x, x.?y)", 14),
]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("text", "column"), OPTIONAL)
def test_the_syntax_of_optional_values_is_refused_where_there_are_none(text, column, check):
    issues = refused(text, check=check)
    assert [(issue.code, issue.place.column) for issue in issues] == [("no_optionals", column)]
    assert "`?`" in issues[0].message


def test_every_mark_of_an_optional_value_is_an_issue_and_others_are_too():
    issues = refused("[?a, 1 +, ?b].?c")
    assert [issue.code for issue in issues] == [
        "no_optionals",
        "syntax_error",
        "no_optionals",
        "no_optionals",
    ]


def test_a_ternary_needs_no_optional_values():
    assert Env().compile("[true ? 1 : 2, {'a': false ? 3 : 4}.a]").evaluate() == [1, 4]


@pytest.mark.parametrize(("text", "column"), OPTIONAL)
def test_a_library_may_bring_the_syntax(text, column):
    Env(libraries=[Library("optional", optional_syntax=True)]).parse(text)


# -- macros, containers, libraries -------------------------------------------------------------


def test_without_macros_they_are_calls():
    assert [issue.code for issue in refused("[1].exists(x, true)", Env(macros=False))]
    with pytest.raises(EvaluationError):
        Env(macros=False).compile("has({'a': 1}.a)", check=False).evaluate()


def test_a_container_is_where_names_are_looked_for_first():
    env = Env({"acme.limit": "int", "limit": "int"}, container="acme")
    values = {"acme.limit": 1, "limit": 2}
    assert env.compile("[limit, .limit, acme.limit]").evaluate(values) == [1, 2, 1]


def test_a_python_function_is_called_with_values_and_what_it_raises_is_an_error():
    env = Env(
        {"x": "dyn"}, libraries=[cel.function("half", "(int) -> int", lambda x: x // (x % 2 - 1))]
    )
    assert env.compile("half(4)").evaluate({"x": 0}) == -4
    with pytest.raises(EvaluationError, match="half") as raised:
        env.compile("true && half(3) == 1").evaluate({"x": 0})
    assert (raised.value.code, raised.value.position) == ("invalid_argument", 8)
    assert env.compile("half(3) == 1 || true").evaluate({"x": 0}) is True
    assert [issue.code for issue in refused("half('a')", env)] == ["no_matching_overload"]


def test_what_a_python_function_gives_is_held_to_64_bits():
    env = Env(libraries=[cel.function("huge", "() -> int", lambda: 2**64)])
    with pytest.raises(EvaluationError) as raised:
        env.compile("1 + huge()").evaluate()
    assert (raised.value.code, raised.value.position) == ("overflow", 4)


# -- conditions --------------------------------------------------------------------------------


def decided(text, **values):
    """The value of a condition over policy variables."""
    layout = policy_layout()
    node = policy_env().compile_condition(Source(text), layout)
    activation = Activation(len(layout.paths), layout.registers, len(POLICY_VARIABLES))
    activation.roots = [values.get(name) for name in POLICY_VARIABLES]
    return nodes.evaluate(node, activation)


def test_the_example_of_the_users_document_works_as_written():
    text = (
        "subject.department == 'engineering' && resource.owner == subject.id "
        "|| subject.roles.contains('admin')"
    )
    engineer = {"id": "1", "department": "engineering", "roles": ["developer"]}
    assert decided(text, subject=engineer, resource={"owner": "1"}) is True
    assert decided(text, subject=engineer, resource={"owner": "2"}) is False
    assert decided(text, subject={"id": "3", "roles": ["admin"]}, resource={"owner": "2"}) is True


def test_contains_has_a_list_overload_in_conditions_only():
    assert decided("subject.contains('ab') && context.contains(2)", subject="abc", context=[1, 2.0])
    assert [issue.code for issue in refused("[1].contains(1)")] == ["no_matching_overload"]
    assert decided("context.contains(1)", context={"a": 1}).code == "no_such_overload"


@pytest.mark.parametrize(
    ("text", "resource", "expected"),
    [
        ("resource.?owner.orValue('nobody') == subject.id", {"owner": "1"}, True),
        ("resource.?owner.orValue('nobody') == subject.id", {}, False),
        ("resource.?meta.owner == optional.of(subject.id)", {"meta": {"owner": "1"}}, True),
        ("resource.?meta.owner == optional.of(subject.id)", {}, False),
        ("resource.?tags.optMap(t, 'public' in t).orValue(false)", {"tags": ["public"]}, True),
        ("resource.?tags.optMap(t, 'public' in t).orValue(false)", {}, False),
        ("!resource.?owner.hasValue()", {}, True),
        ("resource[?'owner'].hasValue()", {"owner": None}, True),
        ("cel.bind(o, resource.?owner, o.hasValue() && o.value() == subject.id)", {}, False),
        ("cel.bind(o, resource.owner, o == subject.id || o == 'x')", {"owner": "x"}, True),
    ],
)
def test_absence_is_fine_where_a_condition_says_so(text, resource, expected):
    assert decided(text, subject={"id": "1"}, resource=resource) is expected
    entity = EntityValue("tasks", "7", resource, False)
    assert decided(text, subject=EntityValue("user", "1", None, False), resource=entity) is expected


@pytest.mark.parametrize("text", ["1", "'true'", "[true]", "subject.roles + ['a']", "now", "null"])
def test_a_condition_that_can_never_be_a_bool_does_not_compile(text):
    with pytest.raises(CompileError):
        policy_env().compile_condition(Source(text), policy_layout())


def test_conditions_of_one_layout_read_the_same_slots():
    layout = policy_layout()
    env = policy_env()
    for _ in range(3):
        env.compile_condition(Source("subject.id == resource.owner"), layout)
    assert len(layout.paths) == 2
    assert list(layout.roots) == list(POLICY_VARIABLES)


# -- in one call -------------------------------------------------------------------------------


def test_an_expression_is_evaluated_in_one_call():
    assert cel.evaluate("x + 1 > 2", {"x": 2}) is True
    assert cel.evaluate("1 + 1") == 2
    assert cel.evaluate("a.b + a.c", {"a": {"b": 1, "c": 2}}) == 3


def test_what_is_remembered_depends_on_the_names_that_there_are():
    assert cel.evaluate("x", {"x": 1}) == 1
    assert cel.evaluate("x", {"x": "a"}) == "a"
    assert cel.evaluate("x", {"x": 1, "y": 2}) == 1
    with pytest.raises(CompileError, match="undeclared"):
        cel.evaluate("x", {"y": 1})
    assert cel.evaluate("a.b", {"a": {"b": 1}}) == 1
    assert cel.evaluate("a.b", {"a": {"b": 1}, "a.b": 2}) == 2


def test_an_expression_that_does_not_compile_says_so_each_time():
    for _ in range(2):
        with pytest.raises(CompileError, match="expected an expression"):
            cel.evaluate("1 +")
