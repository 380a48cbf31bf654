"""Macros: what a call becomes, which calls are none, and what is wrong with their arguments."""

from __future__ import annotations

import pytest

from taskman_authz._fast.tree import Comprehension, Select
from taskman_authz.cel.macros import STANDARD_MACROS, MacroTable, variable
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.errors import CompileError
from tests.cel.trees import nodes, written

ALL = "@not_strictly_false(@result); _&&_(@result, {}); @result"
EXISTS = "@not_strictly_false(!_(@result)); _||_(@result, {}); @result"
ONE = "true; _?_:_({}, _+_(@result, 1), @result); _==_(@result, 1)"
MAP = "true; _+_(@result, [{}]); @result"
FILTER = "true; _?_:_({}, _+_(@result, [{}]), @result); @result"

EXPANSIONS = {
    "has(a.b)": "has(a.b)",
    "has(a.b.c)": "has(a.b.c)",
    "has(f(x).`b-c`)": "has(f(x).b-c)",
    "a.all(x, p)": f"fold(x in a, @result = true; {ALL.format('p')})",
    "a.exists(x, p)": f"fold(x in a, @result = false; {EXISTS.format('p')})",
    "a.exists_one(x, p)": f"fold(x in a, @result = 0; {ONE.format('p')})",
    "a.existsOne(x, p)": f"fold(x in a, @result = 0; {ONE.format('p')})",
    "a.map(x, t)": f"fold(x in a, @result = []; {MAP.format('t')})",
    "a.map(x, p, t)": f"fold(x in a, @result = []; {FILTER.format('p', 't')})",
    "a.filter(x, p)": f"fold(x in a, @result = []; {FILTER.format('p', 'x')})",
}
ORDINARY = [
    "has()", "has(a, b)", "a.has(b)", ".has(a.b)", "all(a, x)", "a.all(x)", "a.all(x, y, z)",
    "a.exists(x)", "a.map(x)", "a.map(x, y, z, w)", "filter(x, y)", "a.`all`[0]", "all",
]  # fmt: skip
REFUSED = {
    "has(a)": 5,
    "has(a[0])": 5,
    "has(a.?b)": 5,
    "has(f(a.b))": 5,
    "has(has(a.b))": 9,
    "a.all(1, p)": 7,
    "a.exists(b.c, p)": 10,
    "a.map(.x, t)": 7,
    "a.filter(f(x), p)": 10,
    "a.exists_one(1 + x, p)": 14,
    "a.all(__result__, p)": 7,
}


def tree(text, macros=STANDARD_MACROS):
    return parse(Source(text), macros).expr


@pytest.mark.parametrize("text, expected", EXPANSIONS.items())
def test_a_macro_becomes_the_tree_of_the_language_definition(text, expected):
    assert written(tree(text)) == expected


@pytest.mark.parametrize("text", ORDINARY)
def test_a_call_of_another_form_is_an_ordinary_call(text):
    parsed = parse(Source(text))
    assert not parsed.macro_calls
    assert written(parsed.expr) == written(tree(text, MacroTable({})))


@pytest.mark.parametrize("text, column", REFUSED.items())
def test_a_wrong_argument_is_refused_at_its_place(text, column):
    with pytest.raises(CompileError) as raised:
        tree(text)
    assert [(i.code, i.place.column) for i in raised.value.issues] == [("macro_argument", column)]


def test_all_wrong_arguments_are_told_from_the_inside_out():
    with pytest.raises(CompileError) as raised:
        tree("has(a) && b.all(1, has(c)) && b.map(1, 2)")
    assert [issue.place.column for issue in raised.value.issues] == [5, 24, 37]


def test_a_mistake_inside_of_an_argument_makes_no_second_issue():
    with pytest.raises(CompileError) as raised:
        tree("has(a.b c) && d.all(1z, p)")
    assert [issue.code for issue in raised.value.issues] == ["syntax_error", "invalid_number"]


def test_the_name_of_the_macro_stays_with_the_comprehension():
    for name in ("all", "exists", "exists_one", "existsOne", "map", "filter"):
        fold = tree(f"a.{name}(x, y)")
        assert isinstance(fold, Comprehension)
        assert fold.macro == name


def test_the_call_that_was_written_is_kept_for_every_expansion():
    parsed = parse(Source("[1].all(x, x.exists(y, has(y.a)))"))
    calls = {written(call) for call in parsed.macro_calls.values()}
    assert len(parsed.macro_calls) == 3
    assert "has(y.a)" in calls
    ids = {node.id for node in nodes(parsed.expr)}
    assert set(parsed.macro_calls) <= ids


def test_presence_points_at_the_field():
    text = "has(abc.def)"
    select = tree(text)
    assert isinstance(select, Select)
    assert text[select.position :] == "def)"


def test_ids_are_given_from_the_inside_out():
    fold = tree("m.exists(v, f)")
    inner = [fold.iter_range, fold.accu_init, fold.loop_condition, fold.loop_step, fold.result]
    assert [node.id for node in (fold, *inner)] == [12, 1, 5, 8, 10, 11]


def test_a_library_adds_macros_through_the_same_table():
    def twice(expansion, target, args):
        name = variable(expansion, args[0])
        return expansion.call("_+_", expansion.ident(name), expansion.ident(name)) if name else None

    def none(expansion, target, args):
        return None

    table = STANDARD_MACROS | MacroTable({("twice", 1, False): twice, ("any", -1, True): none})
    assert written(tree("twice(x) + [1].map(y, twice(y)).size()", table)).startswith(
        "_+_(_+_(x, x)"
    )
    assert written(tree("a.any(1, 2, 3)", table)) == "a.any(1, 2, 3)"


def test_a_table_may_be_a_mapping():
    assert written(parse(Source("has(a.b)"), {}).expr) == "has(a.b)"
    assert isinstance(tree("has(a.b)", STANDARD_MACROS.entries), Select)
