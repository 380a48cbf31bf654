"""`cel.block`: parts that are named by number, each computed once where it is read, or never."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from taskman_authz._fast.tree import Call, Ident, ListExpr, Literal
from taskman_authz.cel import Env, Layout, ext, function
from taskman_authz.cel.checker import check
from taskman_authz.cel.planner import plan_unchecked
from taskman_authz.cel.source import Source
from taskman_authz.cel.unparser import unparse
from tests.cel.ext.evaluating import env_of, error, outcome, refused, value
from tests.cel.test_planner import alike
from tests.cel.typed import TYPES, expressions, inputs

ENV = env_of(ext.BLOCK, ext.BINDINGS, x="int", l="list(int)")
GIVEN = {"x": 3, "l": [1, 2, 3]}
TYPED = Env(TYPES, libraries=[ext.BLOCK])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("cel.block([], x)", 3),
        ("cel.block([x, cel.index(0) + 1], cel.index(0) * cel.index(1))", 12),
        ("cel.block([l.map(e, e * 2), cel.index(0).map(e, e + x)], cel.index(1))", [5, 7, 9]),
        (
            "cel.block([l.map(e, e)], l.map(e, cel.index(0)[e - 1] + cel.index(0)[0]))",
            [2, 3, 4],
        ),
        ("l.map(cel.iterVar(0, 0), l.map(cel.iterVar(1, 0), cel.iterVar(0, 0)))[2]", [3, 3, 3]),
        ("l.map(e, cel.block([e + 1, cel.index(0) * 2], cel.index(0) + cel.index(1)))", [6, 9, 12]),
        ("cel.block([1], cel.block([cel.index(0) + 1], cel.index(0)) + cel.index(0))", 3),
        ("cel.block([x + 1], cel.bind(a, cel.index(0) + 1, a + cel.index(0)))", 9),
        ("cel.block([1 / 0, 7], cel.index(1))", 7),
        ("cel.block([1 / 0], true || cel.index(0) == 1)", True),
        ("cel.accuVar(0, 1) == 5", None),
    ],
)
def test_value(text, expected):
    if expected is None:
        assert refused(ENV, text) == {"undeclared_reference"}
    else:
        assert value(ENV, text, **GIVEN) == expected


def test_a_fault_has_the_place_where_it_came_about():
    fault = ENV.compile("cel.block([1 / (x - 3)], cel.index(0) + 1)").value(GIVEN)
    assert (fault.code, fault.position) == ("division_by_zero", 13)
    assert error(ENV, "cel.block([l[9], cel.index(0) + 1], cel.index(1))", **GIVEN)


@pytest.mark.parametrize(
    "text, asked",
    [
        ("cel.block([spy(x)], 1)", []),
        ("cel.block([spy(x), spy(x + 1)], cel.index(1) + cel.index(1))", [4]),
        ("cel.block([spy(x), cel.index(0) + spy(7)], cel.index(1) + cel.index(0))", [3]),
        ("cel.block([spy(x)], l.map(e, cel.index(0) + e))", [3]),
        ("cel.block([spy(x)], x > 3 ? cel.index(0) : 0)", []),
    ],
)
def test_a_part_is_computed_once_where_it_is_read_and_else_never(text, asked):
    seen = []
    spy = function("spy", "(int) -> int", lambda number: seen.append(number) or number)
    env = env_of(ext.BLOCK, spy, x="int", l="list(int)")
    env.compile(text.replace("spy(7)", "7")).evaluate(GIVEN)
    assert seen == asked


@settings(max_examples=150)
@given(expressions("int", depth=2), expressions("int", depth=2), expressions(depth=2), inputs())
def test_a_block_means_what_its_parts_would_mean_in_their_places(one, other, result, variables):
    def substituted(text, replacement):
        return re.sub(r"\bv_i\b", replacement, text)

    parts = f"{one}, {substituted(other, 'cel.index(0)')}"
    written = f"cel.block([{parts}], {substituted(result, 'cel.index(1)')})"
    whole = substituted(result, f"({substituted(other, f'({one})')})")
    expected = TYPED.compile(whole, check=False).value(variables)
    assert alike(TYPED.compile(written).value(variables), expected)
    assert alike(TYPED.compile(written, check=False).value(variables), expected)


@pytest.mark.parametrize(
    "text, codes",
    [
        ("cel.block(x, 1)", {"macro_argument"}),
        ("cel.block([1], cel.index(x))", {"macro_argument"}),
        ("cel.block([1], cel.index(-1))", {"macro_argument"}),
        ("l.map(cel.iterVar(0, 'a'), 1)", {"macro_argument"}),
        ("cel.block([1], cel.index(1))", {"undeclared_reference"}),
        ("cel.block([cel.index(1), 1], cel.index(0))", {"undeclared_reference"}),
        ("cel.block([cel.index(0)], cel.index(0))", {"undeclared_reference"}),
        ("cel.block([y], 1)", {"undeclared_reference"}),
        ("cel.index(0)", {"undeclared_reference"}),
    ],
)
def test_refused(text, codes):
    assert refused(ENV, text) == codes


def test_unchecked_a_part_that_is_not_there_is_an_error():
    for text in ("cel.block([cel.index(1), 1], cel.index(0))", "cel.index(0)"):
        assert outcome(ENV, text, GIVEN, check=False) == ("error", "no_such_attribute")


def test_a_part_is_dyn_under_its_name():
    assert str(ENV.check("cel.block([1], cel.index(0))").type) == "dyn"
    assert str(ENV.check("cel.block(['a'], cel.index(0) + 1)").type) == "int"


def test_only_what_is_called_on_cel_is_a_block():
    names = ("block", "index", "iterVar")
    libraries = [function(name, "string.(int) -> int", lambda _, n: n) for name in names]
    env = env_of(
        ext.BLOCK, *libraries, function("block", "string.(int, int) -> int", max3), a="dyn"
    )
    assert value(env, "a.index(1) + a.block(2) + a.block(3, 4)", a="a") == 7
    assert "undeclared_reference" not in refused(env, "a.iterVar(1, 2)")


def max3(_, first, second):
    return max(first, second)


def test_a_block_that_no_macro_wrote_must_have_its_form():
    odd = Call(1, 0, "cel.@block", None, (Ident(2, 0, "x"), Literal(3, 0, 1)))
    short = Call(1, 0, "cel.@block", None, (ListExpr(2, 0, ()),))
    for tree in (odd, short):
        found = check(tree, Source("x"), ENV.declarations)
        assert [issue.code for issue in found.issues] == ["not_a_block"]
        node = plan_unchecked(tree, ENV.declarations, ENV.implementations, Layout())
        assert node.constant.code == "no_such_overload"


def test_a_block_is_written_as_it_was_called():
    text = "cel.block([x, cel.index(0) + 1], cel.index(1))"
    assert unparse(ENV.parse(text)) == text
