"""Where an expression's text comes from: offsets in it to places in the file that holds it."""

from __future__ import annotations

from collections.abc import Callable

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

    def __repr__(self) -> str:
        return f"Source({self.text!r}, {self.name!r})"
