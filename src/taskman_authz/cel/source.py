"""Where an expression's text comes from: offsets in it to places in the file that holds it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from ..issues import Place, place_at


class Source:
    """The `text` of an expression and the `name` that its issues show.

    `places` tells where a code point of the text stands in the file around it, for an expression
    inside of a YAML document; without it, places are lines and columns of the text itself.
    """

    __slots__ = ("name", "places", "text")

    def __init__(
        self,
        text: str,
        name: str = "<expression>",
        places: Callable[[int], Place] | None = None,
    ) -> None:
        self.text = text
        self.name = name
        self.places = places

    def place(self, offset: int) -> Place:
        """The place of the code point `offset`; past the end it is the end, before 0 it is 0."""
        if self.places is not None:
            return self.places(max(0, min(offset, len(self.text))))
        return place_at(self.name, self.text, offset)

    def line_offsets(self) -> list[int]:
        """The offset behind the end of each line, in code points."""
        ends = [offset + 1 for offset, char in enumerate(self.text) if char == "\n"]
        return [*ends, len(self.text) + 1]

    def __repr__(self) -> str:
        return f"Source({self.text!r}, {self.name!r})"


class TreeSource(Source):
    """The text that a tree says it was parsed from: only where its lines end is known."""

    __slots__ = ("ends",)

    def __init__(self, ends: Iterable[int] = (), name: str = "<expression>") -> None:
        super().__init__("", name)
        self.ends = sorted(ends)

    def place(self, offset: int) -> Place:
        offset = max(0, offset)
        line = bisect_right(self.ends, offset)
        start = self.ends[line - 1] if line else 0
        return Place(self.name, line + 1, offset - start + 1)

    def line_offsets(self) -> list[int]:
        return self.ends
