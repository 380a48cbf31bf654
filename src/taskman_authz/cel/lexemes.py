"""A text as its lexemes, with the comments before each: what a formatter and a prompt go by.

Laws: the lexemes and comments of a text, in their order, are all of it that is not white space.
Nothing raises: of a text that no parser would read, what cannot be told apart becomes a lexeme of
one character, and an unclosed string one that reaches to the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .._fast.lexis import PREFIXES, is_digit, line_end, number_end, string_end, word_end

DOUBLES = ("==", "!=", "<=", ">=", "&&", "||")
_BLANK = " \t\n\r\f"


class Remark(NamedTuple):
    """A comment, or, without a text, an empty line beside one. `trailing`: on the line of the
    lexeme before it."""

    text: str
    trailing: bool = False


class Lexeme(NamedTuple):
    """A name, literal, operator or bracket, where it begins, and the comments before it; the last
    of a text is empty and stands at its end."""

    text: str
    position: int
    remarks: tuple[Remark, ...] = ()


def lexemes(text: str) -> list[Lexeme]:
    """All lexemes of a text."""
    found: list[Lexeme] = []
    ended = text + "\0"  # so that looking one character ahead needs no check
    position = 0
    while True:
        start, remarks = _between(ended, position, bool(found))
        if start >= len(text):
            return [*found, Lexeme("", len(text), remarks)]
        position = _end(ended, start)
        found.append(Lexeme(text[start:position], start, remarks))


def _end(text: str, start: int) -> int:
    """Where the lexeme that begins at `start` ends."""
    char = text[start]
    if is_digit(char) or char == "." and is_digit(text[start + 1]):
        return number_end(text, start)
    end = word_end(text, start)
    prefix = text[start:end].lower()
    if text[end] in "'\"" and (end == start or prefix in PREFIXES):
        closed = string_end(text, end, "r" in prefix)
        return len(text) - 1 if closed < 0 else closed
    if char == "`":
        return text.find("`", start + 1) + 1 or start + 1
    if text[start : start + 2] in DOUBLES:
        return start + 2
    return max(end, start + 1)


def _between(text: str, position: int, after: bool) -> tuple[int, tuple[Remark, ...]]:
    """Where the next lexeme begins, and the comments up to there; `after` another lexeme."""
    pieces: list[tuple[Remark, bool]] = []  # a comment, and whether an empty line is before it
    lines = 0
    while True:
        char = text[position]
        if char in _BLANK:
            lines += char == "\n" or char == "\r" and text[position + 1] != "\n"
            position += 1
        elif char == "/" and text[position + 1] == "/":
            end = line_end(text, position)
            trailing = after and lines == 0 and not pieces
            pieces.append((Remark(text[position:end].rstrip(), trailing), lines > 1))
            position, lines = end, 0
        else:
            return position, tuple(_spaced(pieces, after, lines > 1))


def _spaced(pieces: list[tuple[Remark, bool]], after: bool, empty_line: bool) -> Iterator[Remark]:
    """Comments with the empty lines around those that have a line of their own."""
    for number, (remark, empty_before) in enumerate(pieces):
        if empty_before and not remark.trailing and (number or after):
            yield Remark("")
        yield remark
    if empty_line and pieces and not pieces[-1][0].trailing:
        yield Remark("")
