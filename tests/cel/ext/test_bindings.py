"""`cel.bind`: a name means its value wherever it is read; the value is computed once, or never."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskman_authz._fast import nodes
from taskman_authz.cel import Env, ext, function
from taskman_authz.cel.unparser import unparse
from tests.cel.ext.evaluating import env_of, error, refused, value
from tests.cel.test_planner import alike
from tests.cel.typed import TYPES, expressions, inputs

ENV = env_of(ext.BINDINGS, x="int", l="list(int)")
GIVEN = {"x": 3, "l": [1, 2, 3]}
TYPED = Env(TYPES, libraries=[ext.BINDINGS])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("cel.bind(a, 1, a + a)", 2),
        ("cel.bind(a, x + 1, a * a)", 16),
        ("cel.bind(a, 1 / 0, 7)", 7),
        ("cel.bind(a, 1 / 0, true || a == 1)", True),
        ("cel.bind(a, x, cel.bind(b, a + 1, a * b))", 12),
        ("cel.bind(a, x, cel.bind(a, a + 1, a * a))", 16),
        ("cel.bind(x, x + 1, x)", 4),
        ("cel.bind(a, {'b': x + 1}, a.b + a['b'])", 8),
        ("l.map(e, cel.bind(d, e * 2, d + d))", [4, 8, 12]),
        ("cel.bind(d, l.map(e, e * 2), l.map(e, d.map(f, e + f)))[2]", [5, 7, 9]),
        ("l.map(e, cel.bind(d, l.map(f, e * f), l.map(g, d[g - 1] + g)))[1]", [3, 6, 9]),
        ("l.map(e, cel.bind(d, l.filter(f, f < e), l.exists(g, g in d)))", [False, True, True]),
        ("cel.bind(a, l.map(e, e), cel.bind(b, a.map(e, e + 1), l.map(e, b[e - 1])))", [2, 3, 4]),
        ("has(cel.bind(a, {'b': 1}, a).b)", True),
        ("cel.bind(a, [1, 2], a.exists(a, a == 2) && a == [1, 2])", True),
    ],
)
def test_a_name_means_its_value(text, expected):
    assert value(ENV, text, **GIVEN) == expected


def test_a_fault_has_the_place_where_it_came_about():
    fault = ENV.compile("cel.bind(a, 1 / (x - 3), 0 + a)").value(GIVEN)
    assert (fault.code, fault.position) == ("division_by_zero", 14)
    assert error(ENV, "cel.bind(a, l[9], a + 1)", **GIVEN) == "index_out_of_range"


def spied(text):
    asked = []
    spy = function("spy", "(int) -> int", lambda number: asked.append(number) or number)
    result = env_of(ext.BINDINGS, spy, x="int", l="list(int)").compile(text).evaluate(GIVEN)
    return result, asked


@pytest.mark.parametrize(
    "text, asked",
    [
        ("cel.bind(a, spy(x), 1)", []),
        ("cel.bind(a, spy(x), x > 3 && a > 1)", []),
        ("cel.bind(a, spy(x), a + a + a)", [3]),
        ("cel.bind(a, spy(x), l.map(e, a + e))", [3]),
        ("cel.bind(a, spy(x), cel.bind(b, a + a, b + b))", [3]),
        ("cel.bind(a, spy(x), cel.bind(b, a + a, 1))", []),
        ("l.map(e, cel.bind(a, spy(e), a + a))", [1, 2, 3]),
        ("l.filter(e, cel.bind(a, spy(e), e == 2 && a == a))", [2]),
    ],
)
def test_a_value_is_computed_once_where_it_is_read_and_else_never(text, asked):
    assert spied(text)[1] == asked


def test_a_program_is_evaluated_anew_each_time():
    program = ENV.compile("cel.bind(a, x + 1, a + a)")
    assert [program.evaluate({"x": x, "l": []}) for x in (1, 2, 1)] == [4, 6, 4]


def substituted(text, **replacements):
    """`text` with other texts in the place of names."""
    return re.sub(r"\b(v_i|v_l)\b", lambda found: replacements.get(found[0], found[0]), text)


@settings(max_examples=200)
@given(expressions("int", depth=2), expressions(depth=3), inputs())
def test_a_binding_means_what_its_text_would_mean_in_its_place(bound, result, variables):
    written = f"cel.bind(q, {bound}, {substituted(result, v_i='q')})"
    expected = TYPED.compile(substituted(result, v_i=f"({bound})")).value(variables)
    assert alike(TYPED.compile(written).value(variables), expected)
    assert alike(TYPED.compile(written, check=False).value(variables), expected)


@given(expressions("int", depth=2), expressions("ints", depth=2), expressions(depth=2), inputs())
def test_bindings_and_loops_inside_of_one_another_do_not_mix(one, other, result, variables):
    named = substituted(result, v_i="q", v_l="r")
    written = f"v_l.map(z, cel.bind(q, z + ({one}), cel.bind(r, {other}, [{named}])))"
    body = substituted(result, v_i=f"(z + ({one}))", v_l=f"({other})")
    expected = TYPED.compile(f"v_l.map(z, [{body}])").value(variables)
    assert alike(TYPED.compile(written).value(variables), expected)


def test_what_costs_nothing_is_not_kept():
    assert type(ENV.compile("cel.bind(a, 2, a + 1)").node) is nodes.Constant
    assert type(ENV.compile("cel.bind(a, x, a)").node) is nodes.Attribute


@pytest.mark.parametrize(
    "text, expected",
    [
        ("cel.bind(a, 1, a)", "int"),
        ("cel.bind(a, [], a + [1])", "list(int)"),
        ("cel.bind(a, l, a.map(e, string(e)))", "list(string)"),
    ],
)
def test_type(text, expected):
    assert str(ENV.check(text).type) == expected


@pytest.mark.parametrize(
    "text, codes",
    [
        ("cel.bind(a.b, 1, 2)", {"macro_argument"}),
        ("cel.bind(1, 1, 2)", {"macro_argument"}),
        ("cel.bind(.a, 1, 2)", {"macro_argument"}),
        ("cel.bind(a, 1, b)", {"undeclared_reference"}),
        ("cel.bind(a, a, 1)", {"undeclared_reference"}),
        ("cel.bind(a, 1, a + 'b')", {"no_matching_overload"}),
        ("cel.bind(a, 1)", {"undeclared_reference"}),
    ],
)
def test_refused(text, codes):
    assert refused(ENV, text) == codes


def test_only_what_is_called_on_cel_is_a_binding():
    bind = function("bind", "string.(string, int, int) -> string", lambda *a: f"{a}")
    env = env_of(ext.BINDINGS, bind, cel="string", a="string")
    assert value(env, "a.bind('b', 1, 2)", a="a", cel="c") == "('a', 'b', 1, 2)"
    assert value(env, "cel.bind(b, 1, b) + size(cel)", a="a", cel="c") == 2


@given(st.sampled_from(["cel.bind(a, x + 1, [a, a])", "l.map(e, cel.bind(b, e, b))"]))
def test_a_binding_is_written_as_it_was_called(text):
    assert unparse(ENV.parse(text)) == text
