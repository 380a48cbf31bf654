"""A plan never changes what an expression means: it is held to a slow evaluator of the tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast import calls, folds, logic, nodes, numbers, relations
from taskman_authz._fast.tree import Call, Comprehension, Ident, ListExpr, Literal
from taskman_authz._fast.values import Fault
from taskman_authz.cel import Env, Layout, Source, policy_env, policy_layout
from taskman_authz.cel.functions import STANDARD
from taskman_authz.cel.planner import plan_unchecked
from taskman_authz.cel.stdlib import STANDARD as DECLARED
from taskman_authz.errors import CompileError
from taskman_authz.limits import Limits
from tests.cel import reference
from tests.cel.typed import DYNAMIC, TYPES, expressions, inputs, with_constants
from tests.core.strategies import is_fault, same

TYPED = Env(TYPES)
MIXED = Env(DYNAMIC)


def alike(found, expected):
    """The same value. In a loop the plan gives the first of several faults, the general fold the
    last: which of them is not defined."""
    if type(found) is Fault or type(expected) is Fault:
        return type(found) is type(expected)
    return same(found, expected)


def node_of(text, env=TYPED):
    return env.compile(text).node


# -- the same as without a plan ----------------------------------------------------------------


@given(expressions(), inputs())
def test_a_plan_means_what_the_tree_means(text, variables):
    expected = reference.evaluate(text, variables)
    assert alike(TYPED.compile(text).value(variables), expected)
    assert alike(MIXED.compile(text).value(variables), expected)
    assert alike(TYPED.compile(text, check=False).value(variables), expected)


@given(expressions("bool", dynamic=True), inputs())
def test_a_plan_means_what_the_tree_means_where_types_go_wrong(text, variables):
    expected = reference.evaluate(text, variables)
    assert alike(MIXED.compile(text, check=False).value(variables), expected)
    try:
        checked = MIXED.compile(text)
    except CompileError:
        return
    assert alike(checked.value(variables), expected)


@given(expressions(), inputs())
def test_constants_fold_to_what_variables_evaluate_to(text, variables):
    constant = with_constants(text, variables)
    expected = TYPED.compile(text).value(variables)
    assert alike(Env().compile(constant, check=False).value({}), expected)


@given(expressions("bool", dynamic=True), inputs())
def test_every_fault_has_a_place(text, variables):
    found = MIXED.compile(text, check=False).value(variables)
    assert type(found) is not Fault or 0 <= found.position < len(text)


# -- folding -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-(1)", -1),
        ("!true", False),
        ("true && !false", True),
        ("false || false", False),
        ("'a' + 'b' == 'ab'", True),
        ("1 < 2 ? 'yes' : 'no'", "yes"),
        ("[1, 2][1]", 2),
        ("{'a': [1]}.a", [1]),
        ("size('abc') + size([1])", 4),
        ("'abc'.startsWith('a') && 'abc'.contains('b') && 'abc'.endsWith('c')", True),
        ("'abc'.matches('^a')", True),
        ("2 in [1, 2]", True),
        ("'a' in ['a']", True),
        ("int('7') % 4", 3),
        ("has({'a': 1}.a)", True),
        ("type(1) == int", True),
        ("duration('1h') < duration('2h')", True),
    ],
)
def test_an_expression_of_constants_is_a_constant(text, value):
    node = node_of(text)
    assert type(node) is nodes.Constant
    assert same(node.constant, value)


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "[1][5]",
        "9223372036854775807 + 1",
        "{'a': 1}.b",
        "'a'.matches('(')",
        "timestamp('x')",
        "-(-9223372036854775808)",
    ],
)
def test_a_fault_is_not_folded_and_keeps_its_place(text):
    program = TYPED.compile(text)
    assert type(program.node) is not nodes.Constant
    assert program.value({}).position >= 0


@pytest.mark.parametrize(
    ("text", "value"),
    [("v_b && false && v_i == 1 / 0", False), ("v_b || (v_i > 0 || true)", True)],
)
def test_an_operand_that_decides_is_all_that_is_left(text, value):
    node = node_of(text)
    assert type(node) is nodes.Constant and node.constant is value


def test_a_constant_condition_chooses_its_branch():
    assert type(node_of("true ? v_i : v_j")) is nodes.Attribute
    assert type(node_of("1 > 2 ? v_i : v_j + v_i")) is numbers.Add


def test_a_constant_is_not_what_a_program_gives_away():
    program = Env().compile("[[1], [2]]")
    program.evaluate().append(3)
    program.evaluate()[0].append(4)
    assert program.evaluate() == [[1], [2]]
    program = Env().compile("{'a': {'b': 1}}")
    program.evaluate()["a"]["b"] = 2
    assert program.evaluate() == {"a": {"b": 1}}


# -- tight forms -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("v_s == 'a'", relations.EqualText),
        ("'a' != v_s", relations.EqualText),
        ("v_s == v_t", relations.Equal),
        ("v_s in ['a', 'b']", relations.InTexts),
        ("v_s in v_w", relations.In),
        ("v_i in [1, 2]", relations.In),
        ("v_s == 'a' || v_s == 'b' || v_s in ['c', 'd']", relations.InTexts),
        ("v_s != 'a' && v_s != 'b' && v_s != 'c' && 'd' != v_s", relations.InTexts),
        ("v_s == 'a' || v_s == 'b' || v_t == 'c' || v_t == 'd'", logic.Or),
        ("v_s == 'a' || v_s != 'b' || v_s == 'c' || v_s == 'd'", logic.Or),
        ("v_i == 1", relations.EqualInt),
        ("1 != v_i", relations.EqualInt),
        ("v_i < 1", relations.OrderInt),
        ("1 < v_i", relations.Order),
        ("v_i * 2", numbers.WithInt),
        ("v_i * 2000000000", numbers.Arithmetic),
        ("v_s.startsWith(v_t)", calls.StartsWith),
        ("v_s.endsWith(v_t)", calls.EndsWith),
        ("v_s.contains(v_t)", calls.Contains),
        ("v_s.matches('^a.*b')", calls.Matches),
        ("v_s.matches(v_t)", calls.Function),
        ("size(v_l)", calls.Size),
        ("v_l.exists(e, e > 1)", folds.Exists),
        ("v_l.all(e, e > 1)", folds.Exists),
        ("v_l.exists_one(e, e > 1)", folds.ExistsOne),
        ("v_l.existsOne(e, e > 1)", folds.ExistsOne),
        ("v_l.map(e, e + 1)", folds.Collect),
        ("v_l.filter(e, e > 1)", folds.Collect),
        ("v_m.a", nodes.Attribute),
        ("[v_m][0].a", nodes.Member),
        ("has(v_m.a)", nodes.Has),
    ],
)
def test_what_is_frequent_has_a_node_of_its_own(text, kind):
    assert type(node_of(text)) is kind


def test_chains_of_and_and_or_are_flat():
    node = node_of("v_b && v_i > 0 && (v_b && v_i > 1) && (v_b || v_b || v_b)")
    assert type(node) is logic.And
    assert [type(operand) for operand in node.operands][-1] is logic.Or
    assert (len(node.operands), len(node.operands[-1].operands)) == (5, 3)


# -- one of several texts ----------------------------------------------------------------------

COMPARISONS = st.lists(
    st.sampled_from(
        [f"{name} {sign} '{text}'" for name in "ab" for sign in ("==", "!=") for text in "vwxyz"]
        + [f"{name} in ['v', 'q']" for name in "ab"]
        + [f"!({name} in ['v', 'q'])" for name in "ab"]
        + ["c", "!c", "a == 1"]
    ),
    min_size=1,
    max_size=12,
)
HELD = st.sampled_from(["v", "w", "z", "q", "", 1, None, Fault("no_such_key", ("a",))])


@given(COMPARISONS, st.sampled_from([" || ", " && "]), HELD, HELD, st.booleans())
def test_comparing_with_one_of_several_texts_means_comparing_with_each(parts, operator, a, b, c):
    env = Env({"a": "dyn", "b": "dyn", "c": "bool"})
    values = {"a": a, "b": b, "c": c}
    found = env.compile(operator.join(parts)).value(values)
    # Parentheses that no plan looks through keep each comparison by itself.
    apart = env.compile(operator.join(f"({part} ? true : false)" for part in parts)).value(values)
    assert found == apart or (is_fault(found, "no_such_key") and is_fault(apart, "no_such_key"))


def test_what_is_compared_with_several_texts_is_read_once():
    program = TYPED.compile(" || ".join(f"v_s == '{n}'" for n in range(30)))
    assert program.slots == 0
    assert program.evaluate({"v_s": "7"}) is True


def test_a_fault_among_several_comparisons_is_told_where_it_came_about_first():
    env = Env({"task": "dyn", "b": "bool"})
    program = env.compile("task.x == 'a' || b || task.x == 'b' || task.x == 'c' || task.x == 'd'")
    found = program.value({"task": {}, "b": False})
    assert (found.code, found.position) == ("no_such_key", program.source.text.index("x"))


# -- names -------------------------------------------------------------------------------------


def test_a_path_has_one_slot_whoever_reads_it():
    layout = policy_layout()
    env = policy_env()
    for text in ("resource.owner == subject.id", "subject.id != '' && resource.owner == 'x'"):
        env.compile_condition(Source(text), layout)
    assert [(path.name, path.members) for path in layout.paths] == [
        ("resource", ("owner",)),
        ("subject", ("id",)),
    ]
    assert [path.root for path in layout.paths] == [1, 0]


def test_loops_within_loops_have_their_own_registers():
    program = TYPED.compile("v_l.all(x, v_l.exists(y, y == x) && v_l.exists(z, z == x))")
    assert program.registers == 2
    assert program.evaluate({"v_l": [1, 2, 3]}) is True
    nested = TYPED.compile("v_l.map(x, v_l.map(y, x * 10 + y).filter(x, x > 11))")
    assert nested.evaluate({"v_l": [1, 2]}) == [[12], [21, 22]]


def test_a_loop_variable_hides_a_variable_and_a_leading_dot_finds_it():
    env = Env({"x": "int", "x.y": "int", "y": "int"})
    values = {"x": 1, "x.y": 2, "y": 3}
    assert env.compile("[7].map(x, [x, .x])").evaluate(values) == [[7, 1]]
    assert env.compile("[{'y': 8}].map(x, [x.y, .x.y, y])").evaluate(values) == [[8, 2, 3]]
    assert env.compile("[7].map(x, .x)", check=False).evaluate(values) == [1]


@pytest.mark.parametrize("check", [True, False])
def test_the_longest_declared_name_is_meant(check):
    env = Env({"a.b": "map(string, int)", "a": "map(string, dyn)"})
    values = {"a.b": {"c": 1}, "a": {"b": {"c": 2}, "d": 3}}
    assert env.compile("a.b.c", check=check).evaluate(values) == 1
    assert env.compile("a.d", check=check).evaluate(values) == 3


@pytest.mark.parametrize("check", [True, False])
def test_names_are_resolved_in_the_container_first(check):
    env = Env({"x": "int", "a.x": "int", "a.b.x": "int", "y": "int"}, container="a.b")
    values = {"x": 1, "a.x": 2, "a.b.x": 3, "y": 4}
    assert env.compile("[x, .x, y]", check=check).evaluate(values) == [3, 1, 4]
    other = Env({"x": "int", "a.x": "int"}, container="a.b")
    assert other.compile("x", check=check).evaluate(values) == 2


@pytest.mark.parametrize("check", [True, False])
def test_a_type_is_a_value_and_a_variable_of_its_name_hides_it(check):
    assert Env().compile("type(1) == int", check=check).evaluate() is True
    assert Env({"int": "int"}).compile("int + 1", check=check).evaluate({"int": 1}) == 2


def test_without_a_check_what_nothing_declares_fails_when_it_is_evaluated():
    def code(text):
        return Env().compile(text, check=False).value({}).code

    assert code("nobody") == "no_such_attribute"
    assert code("nothing(1)") == "no_such_overload"
    assert code("1.startsWith('a')") == "no_such_overload"
    assert code("startsWith('a', 'b')") == "no_such_overload"
    assert code("a.b.C{x: 1}") == "no_such_overload"


# -- loops that no standard macro made ---------------------------------------------------------


def fold_of(macro, second):
    """`[1, 2]` folded over `x` and perhaps `y`: are all x below 3?"""
    condition = Call(9, 0, "_<_", None, (Ident(7, 0, "x"), Literal(8, 0, 3)))
    return Comprehension(
        1,
        0,
        ListExpr(2, 0, (Literal(3, 0, 1), Literal(4, 0, 2))),
        "x",
        second,
        "@result",
        Literal(5, 0, True),
        Literal(6, 0, True),
        condition,
        Ident(10, 0, "@result"),
        macro,
    )


@pytest.mark.parametrize(("macro", "second"), [("", ""), ("transform", ""), ("map", "y")])
def test_a_loop_of_another_shape_is_folded_as_it_is_written(macro, second):
    layout = Layout()
    node = plan_unchecked(fold_of(macro, second), DECLARED, STANDARD, layout)
    assert type(node) is folds.Fold
    assert layout.registers == 3


# -- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["v_s.matches('aaaaaa')", "v_s.matches('aaa' + v_t)"])
def test_a_pattern_is_as_long_as_the_limits_allow(text):
    short = Env(TYPES, limits=Limits(regex_length=5)).compile(text)
    found = short.value({"v_s": "a", "v_t": "aaa"})
    assert is_fault(found, "limit_exceeded", "regex_length", 5, position=4)
    assert Env(TYPES).compile(text).value({"v_s": "aaaaaa", "v_t": "aaa"}) is True


def test_what_is_put_together_is_as_large_as_the_limits_allow():
    small = Env(TYPES, limits=Limits(value_size=5))
    assert small.compile("v_s + 'abc'").value({"v_s": "de"}) == "deabc"
    found = small.compile("v_s + 'abc'").value({"v_s": "def"})
    assert is_fault(found, "limit_exceeded", "value_size", 5, position=4)
    assert is_fault(small.compile("[1, 2, 3] + [4, 5, 6]").value({}), "limit_exceeded")
    assert small.compile("v_l.map(e, 'abc' + 'def')").value({"v_l": []}) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[", "][0]"),
        ("-(", ")"),
        ("1 + (", ")"),
        ("true ? (", ") : 0"),
        ("{'a': ", "}.a"),
        ("[1].map(x, ", ")[0]"),
        ("dyn(", ")"),
        ("size([1].filter(x, x == ", "))"),
        ("int(v_i in [", "] ? 1 : 0)"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_whatever_is_not_too_deep_to_parse_is_planned_and_evaluated(before, after, check):
    for depth in range(200, 0, -1):
        try:
            program = TYPED.compile(before * depth + "v_i" + after * depth, check=check)
        except CompileError as refused:
            assert [issue.code for issue in refused.issues] == ["limit_exceeded"]
            continue
        assert depth >= 20
        assert type(program.evaluate({"v_i": 1})) is int
        break
