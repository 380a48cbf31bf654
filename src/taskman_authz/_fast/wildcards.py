"""Patterns of actions and resources, and the table that finds those that match a name.

A pattern is exact; or `*` alone, which is everything; or ends in `*`, which is any rest
(`tasks:*`, `projects/7/*`); a `*` elsewhere is one segment (`*:view`). Segments of an action are
separated by `:`, of a resource by `/`. The first segment of a resource is its kind.

Laws: a table finds every value whose pattern matches, and no other, in a time that does not grow
with the number of exact patterns, nor with that of patterns that begin with another segment.
Patterns are checked before they come here (`taskman_authz.policy.linker`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Pattern:
    """A pattern with a `*` in it. `segments` are its literal segments, None for one segment of
    any text; with `open` the last one is only the beginning of the rest."""

    __slots__ = ("text", "separator", "segments", "open")

    def __init__(self, text: str, separator: str) -> None:
        self.text = text
        self.separator = separator
        self.open = text.endswith("*")
        literal = text[:-1] if self.open else text
        self.segments: tuple[Any, ...] = tuple(
            [None if segment == "*" else segment for segment in literal.split(separator)]
        )

    def head(self) -> str | None:
        """The first segment if it is a literal and whole, else None."""
        first: str | None = self.segments[0] if len(self.segments) > 1 else None
        return first

    def matches(self, name: str) -> bool:
        """Whether `name` is one of those that the pattern means."""
        last = len(self.segments) - 1
        found = name.split(self.separator, last if self.open else -1)
        if len(found) != last + 1:
            return False
        for number in range(last):
            if not _is_segment(self.segments[number], found[number]):
                return False
        if self.open:
            return found[last].startswith(self.segments[last])
        return _is_segment(self.segments[last], found[last])


def _is_segment(pattern: str | None, segment: str) -> bool:
    return segment != "" if pattern is None else segment == pattern


def matches(pattern: str, name: str, separator: str) -> bool:
    """Whether a pattern as it is written matches `name`."""
    if pattern == name or pattern == "*":
        return True
    return "*" in pattern and Pattern(pattern, separator).matches(name)


def split_resource(pattern: str) -> tuple[str, str]:
    """A resource pattern's pattern of the kind and pattern of the id. Without a slash it ends in
    `*`, whose rest takes in the id."""
    kind, _, id = pattern.partition("/")
    return kind, id or "*"


class PatternTable:
    """Values by the pattern of a name: what `find(name)` gives is every value whose pattern
    matches. A pattern has one value."""

    __slots__ = ("separator", "exact", "everything", "heads", "open")

    def __init__(self, separator: str) -> None:
        self.separator = separator
        self.exact: dict[str, Any] | None = None
        self.everything: Any = None  # the value of `*`
        # Patterns with a `*` by their text, those that begin with a literal segment below it.
        self.heads: dict[str, dict[str, tuple[Pattern, Any]]] | None = None
        self.open: dict[str, tuple[Pattern, Any]] | None = None

    def place(self, pattern: str, make: Callable[[], Any]) -> Any:
        """The value of a pattern; made and put there if the pattern is new."""
        if pattern == "*":
            if self.everything is None:
                self.everything = make()
            return self.everything
        if "*" in pattern:
            return self._place_wildcard(pattern, make)
        if self.exact is None:
            self.exact = {}
        if pattern not in self.exact:
            self.exact[pattern] = make()
        return self.exact[pattern]

    def _place_wildcard(self, text: str, make: Callable[[], Any]) -> Any:
        pattern = Pattern(text, self.separator)
        group = self._group(pattern.head())
        if text not in group:
            group[text] = (pattern, make())
        return group[text][1]

    def _group(self, head: str | None) -> dict[str, tuple[Pattern, Any]]:
        if head is None:
            if self.open is None:
                self.open = {}
            return self.open
        if self.heads is None:
            self.heads = {}
        return self.heads.setdefault(head, {})

    def get(self, pattern: str) -> Any:
        """The value of a pattern, or None."""
        if pattern == "*":
            return self.everything
        if "*" not in pattern:
            return None if self.exact is None else self.exact.get(pattern)
        head = Pattern(pattern, self.separator).head()
        group = self.open if head is None else (self.heads or {}).get(head)
        return None if group is None or pattern not in group else group[pattern][1]

    def changed(self, pattern: str, value: Any) -> PatternTable:
        """Another table, in which the pattern has this value, or with None none. What both have
        is shared."""
        made = PatternTable(self.separator)
        made.everything = self.everything
        made.exact, made.heads, made.open = self.exact, self.heads, self.open
        if pattern == "*":
            made.everything = value
        elif "*" not in pattern:
            made.exact = _with(self.exact, pattern, value)
        else:
            wildcard = Pattern(pattern, self.separator)
            entry = None if value is None else (wildcard, value)
            head = wildcard.head()
            if head is None:
                made.open = _with(self.open, pattern, entry)
            else:
                group = _with((self.heads or {}).get(head), pattern, entry)
                made.heads = _with(self.heads, head, group)
        return made

    def unless_empty(self) -> PatternTable | None:
        """Itself, if any pattern has a value."""
        return self if self.everything is not None or self.restricts() else None

    def restricts(self) -> bool:
        """Whether there is any pattern but `*`."""
        return self.exact is not None or self.heads is not None or self.open is not None

    def find(self, name: str) -> list[Any]:
        """The values of all patterns that match `name`, `*` included."""
        found = self.find_restricted(name)
        if self.everything is not None:
            found.append(self.everything)
        return found

    def find_restricted(self, name: str) -> list[Any]:
        """The values of all patterns that match `name`, `*` left out."""
        found: list[Any] = []
        if self.exact is not None and name in self.exact:
            found.append(self.exact[name])
        if self.heads is not None:
            group = self.heads.get(name.partition(self.separator)[0])
            if group is not None:
                _collect(group, name, found)
        if self.open is not None:
            _collect(self.open, name, found)
        return found


def _collect(group: dict[str, tuple[Pattern, Any]], name: str, found: list[Any]) -> None:
    for pattern, value in group.values():
        if pattern.matches(name):
            found.append(value)


def _with(values: dict[str, Any] | None, key: str, value: Any) -> dict[str, Any] | None:
    """A copy with this value under the key, or with None without the key; None for no values."""
    made = {} if values is None else values.copy()
    if value is None:
        made.pop(key, None)
    else:
        made[key] = value
    return made or None
