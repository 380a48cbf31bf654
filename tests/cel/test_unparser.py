"""The unparser: a tree's text is read as that tree, and has nothing that it does not need."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.cel.macros import MacroTable
from taskman_authz.cel.parser import Parsed, parse
from taskman_authz.cel.source import Source
from taskman_authz.cel.unparser import unparse
from taskman_authz.errors import CompileError
from tests.cel.expressions import EXPRESSIONS
from tests.cel.trees import shape

# Each as it should be written; spread out, it is read and written back as it was.
TEXTS = [
    "a && b && c && d",
    "a && (b && c) && d",
    "a || (b || c || d)",
    "(a || b) && c || d && e",
    "a - (b - c) - d",
    "a * (b + c) / -d",
    "a == b == (c < d)" ,
    "(a ? b : c) ? d : e ? f : g",
    "a ? (b ? c : d) : e",
    "(a ? b : c).d",
    "!(a && b)",
    "!(!a)",
    "-(-a)",
    "-(1)",
    "-(-1)",
    "-(1.5.b[0])",
    "-1.a",
    "-1u",
    "!-1",
    "a - -1",
    "-a.b",
    "(-a).b",
    "[a, ?b.c, [], {}]",
    "{a: b, ?'c': {1: 2u}}",
    ".a.b.C{d: e, ?f: g, `h-i`: j}",
    "a.?b[?c].`d-e`[0].f(g, h)",
    "'it\\'s' + \"\" + b'\\xff'",
    "a in [b in c]",
    "has(a.b) && c.all(x, has(x.d) || x.map(y, y > 0, y + 1).exists_one(z, z))",
    "a.existsOne(x, x) ? a.filter(x, !x) : a.exists(x, -x > 0)",
]  # fmt: skip


def written_again(text, width=0):
    return unparse(parse(Source(text)), width)


def written(text):
    # One quote is as good as the other.
    return text.replace('""', "''")


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_without_anything_superfluous_is_written_as_it_was(text):
    assert written_again(text) == written(text)
    spread = re.sub(r"([()\[\]{},?])", r" \1\n", text) if "'" not in text else text
    try:
        assert written_again(spread) == written(text)
    except CompileError:
        assert ".\n?" in spread or "-\n" in spread


@given(EXPRESSIONS, st.sampled_from([0, 0, 10, 40, 80]))
def test_the_text_of_a_tree_is_read_as_that_tree(text, width):
    expr = parse(Source(text)).expr
    assert shape(parse(Source(written_again(text, width))).expr) == shape(expr)


@given(EXPRESSIONS)
def test_writing_twice_is_writing_once(text):
    once = written_again(text)
    assert written_again(once) == once


@given(EXPRESSIONS)
def test_no_pair_of_parentheses_can_be_left_out(text):
    once = written_again(text)
    tree = shape(parse(Source(once)).expr)
    for start, end in groups(once):
        less = f"{once[:start]} {once[start + 1 : end]} {once[end + 1 :]}"
        try:
            assert shape(parse(Source(less)).expr) != tree
        except CompileError:
            pass


def groups(text):
    """The parentheses around an expression, those of calls and in strings left out."""
    opened = []
    quote = False
    for index, char in enumerate(text):
        if char == "'" and (index == 0 or text[index - 1] != "\\"):
            quote = not quote
        if quote or "\\" in text:
            continue
        if char == "(":
            opened.append(index)
        elif char == ")":
            start = opened.pop()
            if not re.search(r"[\w`]$", text[:start]):
                yield start, index


def test_a_comprehension_that_no_macro_wrote_has_no_text():
    source = Source("a.all(x, y)")
    with pytest.raises(CompileError):
        unparse(Parsed(parse(source).expr, source, {}))


def test_calls_are_written_as_calls_where_there_are_no_macros():
    assert unparse(parse(Source("has(a.b)"), MacroTable({}))) == "has(a.b)"
