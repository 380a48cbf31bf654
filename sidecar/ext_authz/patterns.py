"""Patterns of paths, and which of them a path has.

A segment of a pattern is a text, `{name}` for one segment, or, at its end, `{name:path}` for all
that follow, at least one. No parameter is empty, so `/tasks/` is another path than `/tasks`.

Law: the most specific pattern is a path's, whatever the order in which they were written: from left
to right a text goes before `{name}`, and that before `{name:path}`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:path)?\}")
# A text in a pattern is decoded: what cannot come out of a path that was read is no part of one.
_NOT_IN_TEXT = re.compile(r"[\x00-\x20\x7f{}\\%;?#]")
PARAMETER, REST = "{}", "{:path}"  # how segments of these kinds look without a name


class Pattern(NamedTuple):
    """The segments of a pattern, without the names of its parameters, and these in their order."""

    segments: tuple[str, ...]
    names: tuple[str, ...]


def read_pattern(text: str) -> Pattern:
    """The pattern that a text describes. Raises ValueError in words."""
    if not text.startswith("/"):
        raise ValueError("a path begins with `/`")
    parts = text[1:].split("/")
    if "" in parts[:-1] or not {".", ".."}.isdisjoint(parts):
        raise ValueError("no path that is answered has `//`, `.` or `..` in it")
    segments, names = [], []
    for place, part in enumerate(parts, 1):
        found = _PARAMETER.fullmatch(part)
        if found is None and (wrong := _NOT_IN_TEXT.search(part)):
            raise ValueError(f"expected a text, `{{name}}` or `{{name:path}}`, found `{wrong[0]}`")
        if found and found[2] and place < len(parts):
            raise ValueError(f"`{part}` stands for all that follows, so nothing may follow it")
        if found and found[1] in names:
            raise ValueError(f"the parameter `{found[1]}` is there twice")
        names += [found[1]] if found else []
        segments.append(part if not found else REST if found[2] else PARAMETER)
    return Pattern(tuple(segments), tuple(names))


class PathTree(Generic[T]):
    """Patterns, each with what it stands for."""

    __slots__ = ("_here", "_next")

    def __init__(self) -> None:
        self._next: dict[str, PathTree[T]] = {}
        self._here: T | None = None

    def place(self, segments: Sequence[str], made: T) -> T:
        """What the pattern of these segments stands for: `made`, if it stood for nothing yet."""
        tree = self
        for segment in segments:
            tree = tree._next.setdefault(segment, PathTree())
        if tree._here is None:
            tree._here = made
        return tree._here

    def find(self, path: Sequence[str]) -> tuple[T, tuple[str, ...]] | None:
        """What the most specific pattern of a path stands for, and the values of its parameters."""
        return self._find(path, 0, ())

    # Every part of the tree is looked at once at most: the time is bounded by the patterns.
    def _find(
        self, path: Sequence[str], at: int, values: tuple[str, ...]
    ) -> tuple[T, tuple[str, ...]] | None:
        if at == len(path):
            return None if self._here is None else (self._here, values)
        segment = path[at]
        # What a caller sends cannot name a kind of segment: no path has braces before decoding,
        # but `%7B%7D` has them after.
        if segment not in (PARAMETER, REST) and (tree := self._next.get(segment)):
            if found := tree._find(path, at + 1, values):
                return found
        if segment and (tree := self._next.get(PARAMETER)):
            if found := tree._find(path, at + 1, (*values, segment)):
                return found
        rest = self._next.get(REST)
        if rest is not None and rest._here is not None and all(path[at:]):
            return rest._here, (*values, "/".join(path[at:]))
        return None
