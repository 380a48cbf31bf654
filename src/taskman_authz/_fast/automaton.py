# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Running a deterministic automaton over a text: a look-up a character, and no memory.

INVARIANT: `table` was made by `regular.plan`: every class is below its width, every state below
the number of its rows.
"""

from __future__ import annotations

from typing import Any

from .regular import Table
from .shapes import Matcher
from .values import Fault


class Automaton(Matcher):
    """A pattern as an automaton; `beyond` matches texts that are not ASCII, where those are beyond
    it."""

    __slots__ = ("classes", "width", "steps", "ends", "beyond", "size")

    def __init__(self, table: Table, beyond: Matcher, size: int) -> None:
        self.size = size  # of RE2's program, which was made too
        self.beyond = beyond if table.ascii else None
        self.classes = table.classes
        self.width = table.width
        self.steps = table.steps
        self.ends = table.ends

    def match(self, text: str) -> Any:
        classes, steps, width = self.classes, self.steps, self.width
        state = 2  # where it begins
        for character in text:
            code = ord(character)
            if code > 127:
                if self.beyond is not None:
                    return self.beyond.match(text)
                if 0xD800 <= code <= 0xDFFF:
                    return Fault("invalid_argument", ("matches", "a lone surrogate"))
                code = 128
            state = steps[state * width + classes[code]]
            if state <= 1:  # it has matched, or cannot any more
                return state == 1
        return self.ends[state] == 1
