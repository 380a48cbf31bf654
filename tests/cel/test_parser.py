"""The parser: texts to trees, and everything that is wrong with a text in one go."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.cel.macros import MacroTable
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.errors import CompileError
from taskman_authz.issues import Place
from tests.cel.expressions import EXPRESSIONS
from tests.cel.trees import entries, height, nodes, written

CASES = Path(__file__).parent / "cases"
PARSES = [
    (group, str(text), str(tree))
    for group, cases in yaml.safe_load((CASES / "parses.yaml").read_text()).items()
    for text, tree in cases.items()
]
REFUSED = [
    (str(text), [str(issue) for issue in issues])
    for text, issues in yaml.safe_load((CASES / "refused.yaml").read_text()).items()
]


def tree(text):
    return parse(Source(text)).expr


def issues(text):
    with pytest.raises(CompileError) as raised:
        parse(Source(text))
    return list(raised.value.issues)


@pytest.mark.parametrize("group, text, expected", PARSES)
def test_texts_are_read_as_the_language_definition_says(group, text, expected):
    if expected == "refused":
        assert issues(text)
    else:
        assert written(tree(text)) == expected


@pytest.mark.parametrize("text, expected", REFUSED)
def test_all_that_is_wrong_is_said_at_its_place(text, expected):
    said = [f"{i.place.line}:{i.place.column} {i.message}" for i in issues(text)]
    assert said == expected


def test_every_issue_has_a_caret_and_a_code():
    rendered = issues("f(a b, '\\q')")
    assert [issue.code for issue in rendered] == ["syntax_error", "invalid_escape"]
    assert rendered[0].render().splitlines() == [
        "<expression>:1:5: error: found `b`, expected `,`, `)` or an operator [syntax_error]",
        "  | f(a b, '\\q')",
        "  |     ^",
    ]


def test_issues_stand_where_the_source_says_that_the_text_stands():
    source = Source("a b", places=lambda offset: Place("tasks.yaml", 7, offset + 20))
    with pytest.raises(CompileError) as raised:
        parse(source)
    assert [issue.place for issue in raised.value.issues] == [Place("tasks.yaml", 7, 22)]


def test_places_are_lines_and_columns_from_one():
    assert [str(issue.place) for issue in issues("a &&\n  b c")] == ["<expression>:2:5"]
    assert Source("ab\ncd", "x").place(99) == Place("x", 2, 3, "cd")
    assert Source("ab\ncd", "x").place(-5) == Place("x", 1, 1, "ab")


def test_nodes_point_at_operators_names_and_literals():
    text = "a.bc + f(1)[x] ? [y] : {k: !z}"
    places = {written(node): text[node.position] for node in nodes(tree(text))}
    assert places == {
        written(tree(text)): "?",
        "_+_(a.bc, _[_](f(1), x))": "+",
        "a.bc": "b",
        "a": "a",
        "_[_](f(1), x)": "[",
        "f(1)": "f",
        "1": "1",
        "x": "x",
        "[y]": "[",
        "y": "y",
        "{k: !_(z)}": "{",
        "k": "k",
        "!_(z)": "!",
        "z": "z",
    }


def test_ids_count_up_as_the_text_is_read():
    ids = {written(node): node.id for node in nodes(tree("a.b(c) + [d][0] && !e"))}
    assert ids == {
        "a": 1,
        "a.b(c)": 2,
        "c": 3,
        "_+_(a.b(c), _[_]([d], 0))": 4,
        "[d]": 5,
        "d": 6,
        "_[_]([d], 0)": 7,
        "0": 8,
        "!_(e)": 9,
        "e": 10,
        "_&&_(_+_(a.b(c), _[_]([d], 0)), !_(e))": 11,
    }


def test_a_message_type_takes_no_ids_for_its_name():
    message = tree("a.b.C{d: e}")
    assert (message.id, message.entries[0].id, message.entries[0].value.id) == (1, 2, 3)


@given(EXPRESSIONS)
def test_ids_are_unique_and_places_are_in_the_text(text):
    expr = tree(text)
    found = list(nodes(expr))
    ids = [part.id for node in found for part in (node, *entries(node))]
    assert len(ids) == len(set(ids))
    assert min(ids) >= 1
    assert all(0 <= part.position < len(text) for n in found for part in (n, *entries(n)))


@given(EXPRESSIONS)
def test_heights_are_the_levels_below_a_node(text):
    assert all(node.height == height(node) for node in nodes(tree(text)))


@given(EXPRESSIONS, st.sampled_from([" ", "\n", "\t\r\n\f", " // note\n"]))
def test_white_space_and_comments_around_an_expression_mean_nothing(text, blank):
    assert written(tree(f"{blank}({blank}{text}{blank}){blank}")) == written(tree(text))


@given(st.lists(st.tuples(EXPRESSIONS, st.booleans()), min_size=1, max_size=4))
def test_one_issue_for_each_mistake_and_none_for_its_consequences(args):
    broken = sum(wrong for _, wrong in args)
    text = ", ".join(f"{arg} 1z" if wrong else arg for arg, wrong in args)
    if broken:
        assert len(issues(f"f([{text}], a)")) == broken
    else:
        assert tree(f"f([{text}], a)")


@pytest.mark.parametrize("word", "as break const for if import let package var while".split())
def test_reserved_words_are_fields_but_no_names(word):
    assert written(tree(f"a.{word}.{word}()")) == f"a.{word}.{word}()"
    assert [issue.code for issue in issues(word)] == ["reserved_word"]
    assert [issue.code for issue in issues(f"{word}(x)")] == ["reserved_word"]


@pytest.mark.parametrize("word", ["true", "false", "null", "in"])
def test_keywords_are_no_fields(word):
    assert issues(f"a.{word}")
    assert issues(f"A{{{word}: 1}}")
    assert written(tree(f"a.`{word}`")) == f"a.{word}"


def test_a_table_without_macros_leaves_calls_as_they_are():
    parsed = parse(Source("has(a.b) && c.all(x, y)"), MacroTable({}))
    assert written(parsed.expr) == "_&&_(has(a.b), c.all(x, y))"
    assert not parsed.macro_calls
