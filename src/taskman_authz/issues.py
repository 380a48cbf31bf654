"""What is wrong with a text: an `Issue` at a `Place`, and all of them together as `Issues`.

Laws: all issues are reported, not the first only; every issue names its place (source, line,
column) and shows the line with a caret; a message is lower case, without a full stop, with what
the user wrote in backticks, and never names a type of the implementation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """A place in a text. `line` and `column` count from 1, columns in code points."""

    source: str = "<expression>"
    line: int = 1
    column: int = 1
    text: str = ""  # the whole line, without its end, for the caret

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


class Issue(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong: where, a stable `code`, what was found and what was expected."""

    place: Place
    code: str
    message: str
    hint: str = ""

    def render(self, severity: str = "error") -> str:
        """Three or four lines: place and message, the line of text, the caret, the hint."""
        lines = [f"{self.place}: {severity}: {self.message} [{self.code}]"]
        if self.place.text:
            lines += caret_lines(self.place.text, self.place.column)
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class Issues(msgspec.Struct, frozen=True):
    """Issues in the order of their places. Empty is false."""

    items: tuple[Issue, ...] = ()

    @classmethod
    def of(cls, items: Iterable[Issue]) -> Issues:
        """Issues sorted by place, each once."""
        return cls(tuple(sorted(set(items))))

    def __bool__(self) -> bool:
        return bool(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Issue]:
        return iter(self.items)

    def within(self, source: str) -> Issues:
        """The same issues, in a text of that name."""
        return Issues.of(
            msgspec.structs.replace(each, place=msgspec.structs.replace(each.place, source=source))
            for each in self
        )

    def render(self) -> str:
        """All issues, a blank line between them."""
        return "\n\n".join(issue.render() for issue in self.items)


CARET_WIDTH = 120  # of a very long line only this much around the caret is shown


def caret_lines(text: str, column: int) -> list[str]:
    """The line `text` and a line with a caret under `column` (from 1), clipped when very long."""
    start = max(0, min(column - 1 - CARET_WIDTH // 2, len(text) - CARET_WIDTH))
    shown = text[start : start + CARET_WIDTH].replace("\t", " ")
    return [f"  | {shown}", f"  | {' ' * (column - 1 - start)}^"]


def place_at(source: str, text: str, offset: int) -> Place:
    """The place of code point `offset` in `text` (an offset past the end is the end)."""
    offset = max(0, min(offset, len(text)))
    line = text.count("\n", 0, offset) + 1
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return Place(source, line, offset - start + 1, text[start : len(text) if end < 0 else end])
