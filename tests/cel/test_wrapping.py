"""Layout: only white space changes, lines have their width, comments stay where they belong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.cel.lexemes import lexemes
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.cel.wrapping import laid_out
from taskman_authz.errors import CompileError
from tests.cel.expressions import EXPRESSIONS
from tests.cel.test_grammar import GRAMMATICAL, NO_MACROS
from tests.cel.test_limits import DEEP, DEPTH
from tests.cel.trees import shape

CASES = yaml.safe_load(Path(__file__).with_name("cases").joinpath("layouts.yaml").read_text())
WIDTHS = st.sampled_from([1, 5, 10, 20, 40, 80, 200])
SPACES = st.sampled_from(
    [
        *(" ", "\n", "\n\n", " // why\n", "\n// why\n"),
        *("\n// why\n\n", "\n\n// why\n\n// else\n"),
    ]
)


@st.composite
def remarked(draw: st.DrawFn) -> str:
    """An expression with comments between its lexemes."""
    found = [lexeme.text for lexeme in lexemes(draw(EXPRESSIONS))]
    spaces = draw(st.lists(SPACES, min_size=len(found), max_size=len(found)))
    return "".join(space + lexeme for space, lexeme in zip(spaces, found, strict=True))


def parses(text):
    try:
        return bool(parse(Source(text), NO_MACROS))
    except CompileError:
        return False


TEXTS = st.one_of(EXPRESSIONS, remarked(), GRAMMATICAL.filter(parses))


def outline(text):
    """All of a text that is not white space: its lexemes, and its comments in their order."""
    found = lexemes(text)
    remarks = [remark.text for lexeme in found for remark in lexeme.remarks if remark.text]
    return [lexeme.text for lexeme in found], remarks


@given(EXPRESSIONS, WIDTHS)
def test_what_is_laid_out_is_read_as_the_same_tree(text, width):
    assert shape(parse(Source(laid_out(text, width))).expr) == shape(parse(Source(text)).expr)


@given(TEXTS, WIDTHS)
def test_only_white_space_changes(text, width):
    assert outline(laid_out(text, width)) == outline(text)


@given(TEXTS, WIDTHS)
def test_laying_out_twice_is_laying_out_once(text, width):
    once = laid_out(text, width)
    assert laid_out(once, width) == once


@given(TEXTS, WIDTHS)
def test_no_line_ends_in_blanks_and_no_two_are_empty(text, width):
    once = laid_out(text, width)
    for lexeme in lexemes(text):
        if "\n" in lexeme.text:
            once = once.replace(lexeme.text, "x")
    assert not re.search(r"[ \t]\n|\n\n\n|\A\n|[ \t\n]\Z", once)


@given(EXPRESSIONS, WIDTHS)
def test_a_line_is_longer_than_the_width_only_for_one_name_or_literal(text, width):
    if "'''" in text or '"""' in text:
        return  # a literal may have lines of its own
    for line in laid_out(text, width).split("\n"):
        assert len(line) <= width or operands(line) <= 1, line


def operands(line):
    """How many literals and names are in a line; a path of fields is one name."""
    found = [lexeme.text for lexeme in lexemes(line)[:-1]]
    solid = [text != "in" and bool(re.match(r"[\w'\"`]|\.\d", text)) for text in found]
    return sum(
        is_solid and not (before == "." or before == "?" and behind == ".")
        for is_solid, before, behind in zip(solid, ["", *found], ["", "", *found], strict=False)
    )


@pytest.mark.parametrize("kind", DEEP)
def test_the_deepest_text_is_laid_out(kind):
    text = DEEP[kind](DEPTH)
    assert outline(laid_out(text, 40)) == outline(text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_texts_are_laid_out_as_people_do(case):
    assert laid_out(case["text"], case["width"]) + "\n" == case["laid out"]
