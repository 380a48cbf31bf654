"""Where lines are broken: a document of texts and possible breaks, laid out to a width.

A group is written on one line if it fits, otherwise all breaks that are directly in it become new
lines (Wadler's "prettier printer", without its laziness).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

INDENT = 2


@dataclass(frozen=True)
class Break:
    """A new line, or `flat` where the group around it is on one line."""

    flat: str


@dataclass(frozen=True)
class Group:
    """What is written on one line if it fits. `indented`, its new lines are a step further in."""

    parts: Sequence[Doc]
    indented: bool = False


Doc: TypeAlias = "str | Break | Group | Sequence[Doc]"

LINE = Break(" ")
SOFT = Break("")


def render(doc: Doc, width: int) -> str:
    """The text of a document; all on one line where `width` is 0."""
    out: list[str] = []
    column = 0
    todo: list[tuple[int, bool, Doc]] = [(0, width == 0, doc)]
    while todo:
        indent, flat, part = todo.pop()
        if isinstance(part, str):
            out.append(part)
            column += len(part)
        elif isinstance(part, Break):
            out.append(part.flat if flat else "\n" + " " * indent)
            column = column + len(part.flat) if flat else indent
        elif isinstance(part, Group):
            flat = flat or fits(part, todo, width - column)
            inner = indent + INDENT if part.indented else indent
            todo += ((inner, flat, item) for item in reversed(part.parts))
        else:
            todo += ((indent, flat, item) for item in reversed(part))
    return "".join(out)


def fits(group: Group, following: list[tuple[int, bool, Doc]], room: int) -> bool:
    """Whether `group` on one line, with what follows it up to the next new line, fits in `room`."""
    todo: list[tuple[bool, Doc]] = [(True, group)]
    rest = len(following)
    while room >= 0:
        if not todo:
            if rest == 0:
                return True
            rest -= 1
            _, flat, part = following[rest]
        else:
            flat, part = todo.pop()
        if isinstance(part, str):
            room -= len(part)
        elif isinstance(part, Break):
            if not flat:
                return True
            room -= len(part.flat)
        else:
            parts = part.parts if isinstance(part, Group) else part
            todo += ((flat, item) for item in reversed(parts))
    return False
