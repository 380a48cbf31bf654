"""What the grammar of record expects at a place, in the words of a reader.

Imported only when a mistake has to be explained: lark takes a tenth of a second to load.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from lark import Lark
from lark.exceptions import LarkError

from .._fast.lexis import Problem

EXPRESSION = frozenset(("IDENT", "LPAR", "STRING"))  # together they begin every expression
FIELD = frozenset(("IDENT", "RESERVED"))
OPERATOR = "PLUS"  # where it can stand, any operator can

# The lexemes that are named one by one, in the order in which they are named.
LEXEMES = {"COMMA": "`,`", "COLON": "`:`", "RPAR": "`)`", "RSQB": "`]`", "RBRACE": "`}`"}


def grammar_text() -> str:
    """The grammar of record."""
    return Path(__file__).with_name("grammar.lark").read_text("utf-8")


@functools.cache
def grammar() -> Lark:
    """The parser that lark makes of the grammar of record."""
    return Lark(grammar_text(), parser="lalr", lexer="basic", maybe_placeholders=True)


def expected(text: str, problems: Sequence[Problem]) -> str:
    """What could stand where the last of `problems` is; those before it are read as what would
    stand in for them. Empty where even so the text up to there makes no sense."""
    return described(acceptable(mended(text, problems)))


def acceptable(text: str) -> set[str]:
    """The terminals that could follow `text`; none where it makes no sense up to there."""
    try:
        state = grammar().parse_interactive(text)
        state.exhaust_lexer()
        return set(state.accepts())  # type: ignore[no-untyped-call]
    except LarkError:
        return set()


def mended(text: str, problems: Sequence[Problem]) -> str:
    """`text` up to the last of `problems`, its other problems replaced by their stand-ins."""
    pieces: list[str] = []
    start = 0
    *others, last = problems
    for problem in others:
        if start <= problem.position:
            pieces += text[start : problem.position], problem.stand_in
            start = problem.end
    pieces.append(text[start : last.position])
    return "".join(pieces)


def described(terminals: set[str]) -> str:
    """The names of terminals, as a reader would enumerate them."""
    words = []
    if terminals >= EXPRESSION:
        words.append("an expression")
    elif terminals >= FIELD:
        words.append("the name of a field")
    elif "IDENT" in terminals:
        words.append("a name")
    starts = bool(words)
    # A comma may stand alone in brackets, but nobody wants to hear that.
    for name, word in LEXEMES.items():
        if name in terminals and (name != "COMMA" or not starts):
            words.append(word)
    if OPERATOR in terminals:
        words.append("an operator")
    elif not words and terminals & {"INT", "FLOAT"}:
        words.append("a number")
    if "$END" in terminals:
        words.append("the end of the expression")
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
