"""The precedence parser against the grammar of record: the same texts, the same trees."""

from __future__ import annotations

import logging

from hypothesis import example, given
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import LarkError

from taskman_authz.cel.expected import grammar, grammar_text
from taskman_authz.cel.macros import MacroTable
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.errors import CompileError
from tests.cel.expressions import BYTES, EXPRESSIONS, RAW, STRINGS
from tests.cel.grammar_trees import Shapes
from tests.cel.sentences import sentences
from tests.cel.trees import shape

# What the grammar allows and the language does not. Without macros nothing can be wrong with the
# arguments of one.
SEMANTIC = {
    "literal_out_of_range",  # a number that its type cannot hold
    "invalid_escape",  # an escape sequence for a code point that does not exist
    "limit_exceeded",
}
NO_MACROS = MacroTable({})

GRAMMATICAL = sentences(
    grammar(),
    {
        **{word.upper(): st.just(word) for word in ("in", "true", "false", "null")},
        "RELATION": st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
        "RESERVED": st.sampled_from(["for", "package", "as"]),
        "QUOTED": st.sampled_from(["`b-c`", "`in`", "` a.b/c_1`"]),
        "INT": st.sampled_from(["0", "12", "0xfF", "9223372036854775808"]),
        "UINT": st.sampled_from(["0u", "12U", "0xfFu"]),
        "FLOAT": st.sampled_from(["1.5", ".5e1", "1E-3", "0.0"]),
        "IDENT": st.sampled_from(["a", "b", "has", "all", "inner", "asx", "r", "b_"]),
        "STRING": st.one_of(STRINGS, RAW),
        "BYTES": BYTES,
        "BLANK": st.sampled_from([" ", "\n", " \t\r\f"]),
        "COMMENT": st.sampled_from(["// a\n", "// 'b'\r", "//\n"]),
    },
    depth=40,
)

# Pieces whose seams matter: where two of them touch, a lexer may read something else.
PIECES = st.sampled_from(
    "a b in inn as true null _ 1 0 0x 0xf 12 1.5 .5 1e 1e3 u U e . .? .. , : ? ?? + - -- ! !! * / "
    "// % < <= = == != > >= & && | || ( ) [ [? ] { {? } () [] {} [,] ' \" ''' \"\"\" 'x' \"y\" "
    "r'\\' b'\\x41' '\\n' '\\q' '\\ud800' ` `a-b` \\ \n \r \t \f \v \0 $ @ # é A{ a( .a has("
    " x,".split(" ")
)


def both(text):
    """What the parser and the grammar make of a text: a shape, or None where it is refused."""
    try:
        ours = shape(parse(Source(text), NO_MACROS).expr)
        codes = set()
    except CompileError as error:
        ours = None
        codes = {issue.code for issue in error.issues}
    try:
        parsed = grammar().parse(text)
    except LarkError:
        return ours, None
    if ours is None and codes <= SEMANTIC:
        return None, None
    return ours, Shapes().transform(parsed)


def agree(text):
    ours, theirs = both(text)
    assert ours == theirs, text


def test_the_grammar_is_unambiguous(caplog):
    with caplog.at_level(logging.DEBUG, logger="lark"):
        Lark(grammar_text(), parser="lalr", lexer="basic", debug=True)
    assert not [record for record in caplog.records if "onflict" in record.getMessage()]


@given(GRAMMATICAL)
def test_what_the_grammar_generates_is_read_alike(text):
    agree(text)


@given(EXPRESSIONS)
def test_expressions_are_read_alike(text):
    agree(text)


@given(EXPRESSIONS, st.data())
def test_expressions_with_a_few_changes_are_read_or_refused_alike(text, data):
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 3)))
        text = text[:start] + data.draw(st.one_of(PIECES, st.just(""))) + text[end:]
    agree(text)


@given(st.lists(PIECES, max_size=8).map("".join))
@example("1.e3")
@example("1in[1]")
@example("0xfin b")
@example("a.5")
@example("- 1")
@example("a\r// b\r+ c")
@example("'''a''''")
@example('"""a""\\""""')
@example("r'''a'b\\'''")
@example("[,]")
@example("true{}")
@example("for.a.b{}")
def test_any_pieces_are_read_or_refused_alike(text):
    agree(text)


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_any_text_is_read_or_refused_alike(text):
    agree(text)


@given(GRAMMATICAL)
def test_white_space_between_lexemes_means_nothing(text):
    try:
        lexemes = grammar().parse_interactive(text).exhaust_lexer()
    except LarkError:
        return
    ours, _ = both(text)
    assert both(" \n".join(map(str, lexemes)))[0] == ours
