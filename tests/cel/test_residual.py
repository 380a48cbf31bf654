"""What remains of an expression: over the unknown attributes it is the expression itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import CompileError, EvaluationError, Limits, cel
from taskman_authz._fast.values import Fault
from taskman_authz.cel import ext
from taskman_authz.cel.expression import Expression
from taskman_authz.cel.residual import within
from tests.cel.typed import DYNAMIC, TYPES, VALUES, expressions, inputs
from tests.core.strategies import same

TYPED = cel.Env(TYPES)
MIXED = cel.Env(DYNAMIC)
NAMES = dict.fromkeys(("a", "b", "x", "y", "items", "task", "resource", "subject", "now"), "dyn")
ENV = cel.Env(
    {**NAMES, "p": "bool", "q": "bool"},
    libraries=[
        *(ext.OPTIONALS, ext.BINDINGS, ext.COMPREHENSIONS, ext.BLOCK, ext.MATH),
        *(ext.LISTS, ext.STRINGS),
    ],
)
HIDDEN = st.sets(st.sampled_from(sorted(VALUES)))


def residual(text: str, variables: dict[str, Any], *unknown: str) -> str:
    """The text of what remains."""
    return ENV.compile(text).residual(variables, unknown).text


def test_what_remains_has_no_text_where_a_loop_came_without_its_macro():
    program = ENV.program(ENV.parse("items.all(i, i > x)")._replace(macro_calls={}))
    with pytest.raises(CompileError, match="a comprehension that no macro writes has no text"):
        program.residual({"x": 1}, ["items"])
    assert program.residual({"x": 1, "items": [2]}).text == "true"


# -- properties -----------------------------------------------------------------------------------


@given(st.one_of(expressions(), expressions(dynamic=True)), inputs(), HIDDEN)
def test_over_the_unknown_attributes_it_gives_what_the_expression_gives(text, variables, hidden):
    known = {name: value for name, value in variables.items() if name not in hidden}
    rest = {name: value for name, value in variables.items() if name in hidden}
    for program in programs(text):
        found = program.residual(known, hidden).value(rest)
        expected = program.value(variables)
        assert same(found, expected) or (type(found) is Fault and type(expected) is Fault)


@given(expressions(), inputs())
def test_a_residual_of_everything_known_is_a_literal(text, variables):
    for program in programs(text):
        if type(program.value(variables)) is not Fault:
            left = program.residual(variables)
            assert is_literal(left.origin.expression(left.source)), left.text


@given(st.one_of(expressions(), expressions(dynamic=True)), inputs(), HIDDEN)
def test_a_residual_has_nothing_left_to_reduce(text, variables, hidden):
    known = {name: value for name, value in variables.items() if name not in hidden}
    program = MIXED.compile(text, check=False)
    left = program.residual(known, hidden)
    once_more = left.residual(known, hidden)
    assert once_more.text == left.text


def programs(text: str) -> list[cel.Program]:
    """An expression's program, unchecked; and checked, where it passes."""
    made = [MIXED.compile(text, check=False)]
    try:
        made += TYPED.compile(text), MIXED.compile(text)
    except CompileError:
        pass
    return made


def is_literal(expression: Expression) -> bool:
    """Whether nothing is read or called in an expression, but what writes a double."""
    kinds = {type(part).__name__ for part in within(expression.parsed.expr)}
    if "Call" in kinds:
        return "double('" in expression.parsed.source.text
    return kinds <= {"Literal", "ListExpr", "MapExpr"}


# -- what is decided ------------------------------------------------------------------------------

ANN = {"department": "engineering", "id": "ann", "roles": ["developer"]}


@pytest.mark.parametrize(
    ("text", "variables", "left"),
    [
        ("true && p", {}, "p"),
        ("p && a", {"a": True}, "p"),
        ("p || true", {}, "true"),
        ("p || a == 2", {"a": 1}, "p"),
        ("a == 1 && (b == 2 && (x == 3 && y == 4))", {"a": 1, "b": 2}, "x == 3 && y == 4"),
        ("a ? x : y", {"a": True}, "x"),
        ("x ? a + 1 : y", {"a": 1}, "x ? 2 : y"),
        ("(p && a) ? 1 : 2", {"a": True}, "p ? 1 : 2"),
        ("!(x && a)", {"a": True}, "!x"),
        ("x + a * 2", {"a": 3}, "x + 6"),
        ("items.exists(i, i == x)", {"items": ["a", "b"]}, "['a', 'b'].exists(i, i == x)"),
        ("x.all(i, i.price < a * 2 && b)", {"a": 2, "b": True}, "x.all(i, i.price < 4)"),
        ("x.map(i, a == 1, i + a)", {"a": 1}, "x.map(i, true, i + 1)"),
        ("x.transformList(k, v, k < a, v)", {"a": 1}, "x.transformList(k, v, k < 1, v)"),
        ("x.exists(a, a == b)", {"a": 1, "b": 2}, "x.exists(a, a == 2)"),
        ("x.sortBy(e, e * a)", {"a": -1}, "x.sortBy(e, e * -1)"),
        ("cel.bind(n, a + 1, n == x)", {"a": 1}, "2 == x"),
        ("cel.bind(n, x, n + a + n)", {"a": 1}, "cel.bind(n, x, n + 1 + n)"),
        ("cel.bind(n, x, a)", {"a": 1}, "1"),
        ("cel.bind(n, x, cel.bind(n, a, n + y))", {"a": 1}, "1 + y"),
        ("cel.block([x, a], cel.index(0) + cel.index(1))", {"a": 1},
         "cel.block([x, 1], cel.index(0) + 1)"),
        ("cel.block([x, a], cel.index(1) + y)", {"a": 1}, "1 + y"),
        ("math.greatest(x, a + 1, 3)", {"a": 1}, "math.greatest(x, 2, 3)"),
        ("x.?owner.optMap(o, o + a).orValue(b)", {"a": 1, "b": 2},
         "x.?owner.optMap(o, o + 1).orValue(2)"),
        ("[?x.?a, a, {'k': a, a: x}]", {"a": 1}, "[?x.?a, 1, {'k': 1, 1: x}]"),
        ("has(x.owner) && has(a.owner)", {"a": {"owner": 1}}, "has(x.owner)"),
        ("x['k' + a]", {"a": "1"}, "x['k1']"),
        ("x == a", {"a": datetime(2026, 1, 15, tzinfo=UTC)},
         "x == timestamp('2026-01-15T00:00:00Z')"),
        ("x == a", {"a": timedelta(seconds=90)}, "x == duration('90s')"),
        ("x == a", {"a": b"\x00a"}, r"x == b'\x00a'"),
        ("x == a.?b", {"a": {"b": [1, 2.5]}}, "x == optional.of([1, 2.5])"),
        ("x == a.?b", {"a": {}}, "x == optional.none()"),
        ("x == type(a)", {"a": 1}, "x == int"),
        ("x == a", {"a": cel.UInt(1)}, "x == 1u"),
        ("x < a", {"a": float("inf")}, "x < double('inf')"),
    ],
)  # fmt: skip
def test_what_is_known_is_a_literal_and_what_is_decided_is_gone(text, variables, left):
    assert residual(text, variables, "x", "y", "p") == left


def test_a_policy_over_a_known_subject_asks_of_the_resource_only():
    text = (
        "subject.department == 'engineering' && resource.owner == subject.id "
        "|| subject.roles.exists(r, r == 'admin')"
    )
    assert residual(text, {"subject": ANN}, "resource") == "resource.owner == 'ann'"
    admin = {**ANN, "roles": ["admin"]}
    assert residual(text, {"subject": admin}, "resource") == "true"


def test_an_attribute_of_what_is_known_in_part_is_a_literal():
    variables = {"resource": {"kind": "task", "owner": "ann"}}
    text = "resource.kind == 'task' && resource.owner == 'bob'"
    assert residual(text, variables, "resource.owner") == "resource.owner == 'bob'"


def test_what_may_be_no_bool_is_still_asked_to_be_one():
    program = ENV.compile("x && a").residual({"a": True}, ["x"])
    assert program.text == "true && x"
    with pytest.raises(EvaluationError):
        program.evaluate({"x": 1})


def test_a_part_that_fails_stays():
    assert residual("x > 1 || 1 / a > 0", {"a": 0}, "x") == "x > 1 || 1 / 0 > 0"
    assert residual("x > 1 || a.b", {"a": {}}, "x") == "x > 1 || a.b"
    with pytest.raises(EvaluationError):
        ENV.compile("a + x").residual({}, ["x"]).evaluate({"x": 1})


def test_what_cannot_be_written_is_left_as_a_variable():
    class Account:
        def __init__(self) -> None:
            self.id = "ann"

    account = Account()
    left = ENV.compile("a == x && a.id == y").residual({"a": account}, ["x", "y"])
    assert left.text == "a == x && 'ann' == y"
    assert left.evaluate({"a": account, "x": account, "y": "ann"}) is True


def test_a_residual_is_a_program_like_any_other():
    program = ENV.compile("x > a && y > b")
    left = program.residual({"a": 1}, ["x", "y", "b"])
    assert str(left) == left.text == "x > 1 && y > b"
    assert left.type == program.type
    assert left.residual({"b": 2}, ["x", "y"]).text == "x > 1 && y > 2"
    assert left.partial({"x": 0}, ["y", "b"]) is False
    assert left.evaluate({"x": 2, "y": 2, "b": 1}) is True


def test_types_that_only_the_evaluation_can_tell_do_not_hinder_a_residual():
    program = ENV.compile("a == x || p")
    assert program.residual({"a": "text", "p": False}, ["x"]).evaluate({"x": 1}) is False


def test_known_values_may_be_longer_than_what_people_write():
    members = ["x" * 100] * 2_000
    left = ENV.compile("x in a").residual({"a": members}, ["x"])
    assert left.evaluate({"x": "x" * 100}) is True


@pytest.mark.parametrize(
    "text",
    [
        "(" * 190 + "a" + " + x)" * 190 + " == y",
        "!(" * 190 + "p" + ")" * 190,
        "x ? 1 : " * 190 + "a",
        "cel.bind(n, " * 190 + "x" + ", n)" * 190,
        "optional.none().or(" * 190 + "x" + ")" * 190,
        "[" * 190 + "x" + "]" * 190,
    ],
)
def test_what_is_as_deep_as_the_limit_has_a_residual_and_an_explanation(text):
    program = ENV.compile(text)
    assert isinstance(program.partial({"a": 1}, ["x", "y", "p"]), cel.Unknown)
    program.residual({"a": 1}, ["x", "y", "p"])
    program.explain({"a": 1, "x": 1, "y": 1, "p": True})


def test_values_that_share_their_parts_are_left_as_attributes_and_explained_in_time():
    value: Any = [1]
    for _ in range(30):
        value = [value, value]
    limits = Limits(evaluation_steps=100_000)
    program = cel.Env({"x": "dyn", "y": "dyn"}, limits=limits).compile("[x] == y && true")
    assert program.residual({"x": value}, ["y"]).text == "[x] == y"
    found = program.explain({"x": value, "y": 1})
    assert found.evaluated and found.value is False
