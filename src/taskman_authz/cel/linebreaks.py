"""Where lines are broken: a document of texts and possible breaks, laid out to a width.

A group is written on one line if it fits, otherwise all breaks that are directly in it become new
lines (Wadler's "prettier printer", without its laziness). What has a comment in it does not fit.

Law: a line has neither blanks at its end nor, but for what cannot be broken, more than the width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .lexemes import Remark

INDENT = 2


@dataclass(frozen=True)
class Break:
    """A new line, or `flat` where the group around it is on one line."""

    flat: str


@dataclass(frozen=True)
class Group:
    """What is written on one line if it fits."""

    parts: Sequence[Doc]


@dataclass(frozen=True)
class Nest:
    """What has its new lines a step further in."""

    parts: Sequence[Doc]


@dataclass(frozen=True)
class Attached:
    """`body` behind a `lead`, which begins with a break: on the line before it if it fits there;
    or, where `body` ends in brackets, if it does up to them; else on a line of its own."""

    lead: Sequence[Doc]
    body: Doc
    bracketed: bool


Doc: TypeAlias = "str | Break | Group | Nest | Attached | Remark | Sequence[Doc]"
Todo: TypeAlias = "list[tuple[int, bool, Doc]]"  # indent, whether it is on one line, what

LINE = Break(" ")
SOFT = Break("")


def render(doc: Doc, width: int) -> str:
    """The text of a document."""
    page = Page()
    todo: Todo = [(0, False, doc)]
    while todo:
        indent, flat, part = todo.pop()
        if isinstance(part, str):
            page.write(part, indent)
        elif isinstance(part, Remark):
            page.remark(part, indent)
        elif isinstance(part, Break) and flat:
            page.write(part.flat, indent)
        elif isinstance(part, Break):
            page.line(indent)
        elif isinstance(part, Group):
            flat = flat or fits([(True, part)], todo, page.next_column(indent), width)
            todo += ((indent, flat, item) for item in reversed(part.parts))
        elif isinstance(part, Nest):
            todo += ((indent + INDENT, flat, item) for item in reversed(part.parts))
        elif isinstance(part, Attached):
            todo += (
                [(indent, True, part.body), (indent, True, part.lead)]
                if flat
                else (attached(part, indent, todo, page.next_column(indent), width))
            )
        else:
            todo += ((indent, flat, item) for item in reversed(part))
    return "".join(page.out)


def attached(part: Attached, indent: int, following: Todo, column: int, width: int) -> Todo:
    """What is left to do of `part`, its body first."""
    lead, body = part.lead, part.body
    if fits([(True, body), (True, lead)], following, column, width):
        return [(indent, True, body), (indent, True, lead)]
    if part.bracketed and fits([(False, body), (True, lead)], [], column, width):
        return [(indent, False, body), (indent, True, lead)]
    return [(indent + INDENT, False, body), (indent + INDENT, False, lead)]


def fits(todo: list[tuple[bool, Doc]], following: Todo, column: int, width: int) -> bool:
    """Whether `todo` (the last first; whether on one line), written from `column` on, with what
    follows it up to the next new line, stays within `width`."""
    rest = len(following)
    while column <= width:
        if todo:
            flat, part = todo.pop()
        elif rest == 0:
            return True
        else:
            rest -= 1
            _, flat, part = following[rest]
        if isinstance(part, str):
            first, newline, others = part.partition("\n")
            if newline and column + len(first) <= width:  # a string of several lines
                column = len(others) - others.rfind("\n") - 1
            else:
                column += len(first)
        elif isinstance(part, Remark):
            return rest < len(following)
        elif isinstance(part, Break):
            if not flat:
                return True
            column += len(part.flat)
        elif isinstance(part, Attached):
            todo += (flat, part.body), (flat, part.lead)
        else:
            parts = part.parts if isinstance(part, (Group, Nest)) else part
            todo += ((flat, item) for item in reversed(parts))
    return False


class Page:
    """Lines that are being written."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.column = 0
        self.due: int | None = 0  # the indentation of a line on which nothing is written yet
        self.remarked = False  # whether the line ends here, because a comment does
        self.empty = False  # whether an empty line was asked for and nothing is written since

    def next_column(self, indent: int) -> int:
        """Where a text would be written."""
        return indent if self.remarked else self.column

    def line(self, indent: int) -> None:
        self.out.append("\n")
        self.column = self.due = indent
        self.remarked = False

    def write(self, text: str, indent: int) -> None:
        if self.remarked:
            self.line(indent)
        if not text:
            return
        self.empty = False
        if self.due is not None:
            self.out.append(" " * self.due)
            self.due = None
        self.out.append(text)
        last = text.rfind("\n")
        self.column = self.column + len(text) if last < 0 else len(text) - last - 1

    def remark(self, remark: Remark, indent: int) -> None:
        if not remark.text and self.empty:
            return
        if remark.trailing and self.due is None and not self.remarked:
            self.write(f"  {remark.text}", indent)
        else:
            if self.due is None or self.remarked:
                self.line(indent)
            self.due = indent
            self.write(remark.text, indent)
        self.remarked = True
        self.empty = not remark.text
