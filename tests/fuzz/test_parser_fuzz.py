"""Any text is a tree, or issues at places in it; nothing else comes out, and nothing hangs."""

from __future__ import annotations

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from taskman_authz.cel.macros import STANDARD_MACROS
from taskman_authz.cel.parser import Parsed, parse
from taskman_authz.cel.source import Source
from taskman_authz.cel.unparser import unparse
from taskman_authz.errors import CompileError
from taskman_authz.limits import DEFAULT
from tests.cel.expressions import EXPRESSIONS
from tests.cel.trees import shape

SMALL = msgspec.structs.replace(DEFAULT, expression_depth=12, expression_nodes=60, issues=5)
LEXEMES = st.sampled_from(
    "a b has all map x . .? , : ? ( ) [ ] { } [? {? + - ! * / % < <= == != && || in 1 0x 1u 1.5 .5 "
    "'x' \"x\" ''' r' b' \\ \\q \\u12 ` `a` // \n \r \t \0 = & | and or not for true "
    "null @ é 😀".split(" ")
)


def holds(text, limits=DEFAULT):
    """The promise itself."""
    try:
        parsed = parse(Source(text), STANDARD_MACROS, limits)
    except CompileError as error:
        assert 0 < len(error.issues) <= limits.issues
        for issue in error.issues:
            assert issue.code and issue.message
            assert issue.message[0] not in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" and issue.message[-1] != "."
            lines = text.split("\n")
            assert 1 <= issue.place.line <= len(lines)
            assert 1 <= issue.place.column <= len(lines[issue.place.line - 1]) + 1
        assert str(error)
        return
    assert isinstance(parsed, Parsed)
    assert shape(parse(Source(unparse(parsed))).expr) == shape(parsed.expr)


@given(st.text(st.characters(codec=None), max_size=60))
@example("")
@example("\0")
@example("\ud800")
@example("'\udfff'")
@example("a.`")
@example("f(a.`b\n, c)")
def test_any_text(text):
    holds(text)


@given(st.lists(LEXEMES, max_size=25).map("".join))
@example("f(1z,)")
@example("[(,)]")
@example("{:}")
@example("a ? : b")
@example("f(,,)")
@example("[?]")
@example("A{?}")
@example("has()")
@example("-. ")
@example("!- 1u")
@example("a.?`b`(")
def test_any_lexemes(text):
    holds(text)


@given(st.lists(LEXEMES, max_size=25).map("".join))
def test_any_lexemes_within_small_limits(text):
    holds(text, SMALL)


@given(EXPRESSIONS, st.data())
def test_expressions_with_some_characters_changed(text, data):
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 4)))
        text = text[:start] + data.draw(st.one_of(LEXEMES, st.just(""))) + text[end:]
    holds(text)


@given(EXPRESSIONS, EXPRESSIONS, st.data())
def test_expressions_cut_together(first, second, data):
    end = data.draw(st.integers(0, len(first)))
    start = data.draw(st.integers(0, len(second)))
    holds(first[:end] + second[start:])
