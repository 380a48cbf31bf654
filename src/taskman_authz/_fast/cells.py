"""The rows that one place of the index leads to; where they are many, those among them that a
question's attributes leave.

Laws: an attribute chooses among rows only where that can hide nothing. An allow row is left out
where an attribute is not what its condition requires: it cannot grant then, whatever the attribute
is, an error included. A deny row is left out only where its condition is certainly false: where the
attribute could not be read it is told, because an error denies. (Beyond that, what is left out is
not evaluated, and so takes no steps.)

`add` is for whoever builds an index; what is in use is never changed, `changed` gives another.
"""

from __future__ import annotations

from typing import Any

from .activation import Activation
from .nodes import Attribute
from .rows import RuleRow, place_of
from .values import Fault

# Up to so many rows, to evaluate all of them takes no longer than to choose.
MANY = 32
# So few are not worth reading another attribute for.
FEW = 4

_NONE: list[RuleRow] = []


class Group:
    """The deny or the allow rows of a cell that require something of the same attributes; for each
    attribute, the rows by the texts that they require."""

    __slots__ = ("deny", "readers", "rows", "tables")

    def __init__(self, deny: bool, readers: tuple[Attribute, ...]) -> None:
        self.deny = deny
        self.readers = readers
        self.rows: list[RuleRow] = []
        self.tables: tuple[dict[str, list[RuleRow]], ...] = tuple([{} for _ in readers])

    def select(self, activation: Activation) -> list[RuleRow]:
        """The rows that may have a say, by what the attributes are; in canonical order."""
        best = self.rows
        for number in range(len(self.readers)):
            reader: Attribute = self.readers[number]
            value = reader.value(activation)
            if type(value) is str:
                found = self.tables[number].get(value, _NONE)
                if len(found) <= FEW:
                    return found
                if len(found) < len(best):
                    best = found
            elif not self.deny or type(value) is not Fault:
                return _NONE
        return best

    def add(self, row: RuleRow) -> None:
        """Take in a row."""
        self.rows.insert(place_of(row, self.rows), row)
        for number, table in enumerate(self.tables):
            for text in row.required[number].texts:
                rows = table.setdefault(text, [])
                rows.insert(place_of(row, rows), row)

    def changed(self, row: RuleRow, adding: bool) -> Group:
        """Another group, with the row or without it. What stands under other texts is shared."""
        made = Group(self.deny, self.readers)
        made.rows = _changed(self.rows, row, adding)
        made.tables = tuple([table.copy() for table in self.tables])
        for number, table in enumerate(made.tables):
            for text in row.required[number].texts:
                rows = _changed(table.get(text, _NONE), row, adding)
                if rows:
                    table[text] = rows
                else:
                    del table[text]
        return made


class Cell:
    """The rows of one place, in canonical order. Where there are MANY, `groups` has those whose
    conditions require something, by what it is required of, and `plain` the others."""

    __slots__ = ("rows", "plain", "groups")

    def __init__(self) -> None:
        self.rows: list[RuleRow] = []
        self.plain: list[RuleRow] = []
        self.groups: dict[Any, Group] | None = None

    def add(self, row: RuleRow) -> None:
        """Take in a row, unless it is here already."""
        place = place_of(row, self.rows)
        if place < len(self.rows) and self.rows[place] is row:
            return
        self.rows.insert(place, row)
        if self.groups is not None:
            self._sort_in(row, self.groups)
        elif len(self.rows) > MANY:
            self._sort_in_all()

    def changed(self, row: RuleRow, adding: bool) -> Cell:
        """Another cell, with the row or without it."""
        made = Cell()
        made.rows = _changed(self.rows, row, adding)
        if len(made.rows) <= MANY:
            return made
        if self.groups is None:
            made._sort_in_all()
            return made
        made.groups = self.groups
        made.plain = self.plain
        if not row.required:
            made.plain = _changed(self.plain, row, adding)
            return made
        made.groups = self.groups.copy()
        mark = _mark(row)
        group = self.groups[mark] if mark in self.groups else _group(row)
        group = made.groups[mark] = group.changed(row, adding)
        if not group.rows:
            del made.groups[mark]
        return made

    def told(self, count: int) -> list[RuleRow]:
        """The rows that are evaluated whatever the attributes are: those that require nothing of
        them, and the first `count` allow rows, which are told as reasons where none grants."""
        if self.groups is None:
            return self.rows
        first = _first_allow(self.rows)
        return [*self.plain, *self.rows[first : first + count]]

    def _sort_in_all(self) -> None:
        groups: dict[Any, Group] = {}
        self.groups = groups
        for row in self.rows:
            self._sort_in(row, groups)

    def _sort_in(self, row: RuleRow, groups: dict[Any, Group]) -> None:
        if not row.required:
            self.plain.insert(place_of(row, self.plain), row)
            return
        mark = _mark(row)
        if mark not in groups:
            groups[mark] = _group(row)
        groups[mark].add(row)


def _mark(row: RuleRow) -> tuple[int, ...]:
    """What group a row is of: its effect, and the slots of what it requires something of."""
    return (row.deny, *[one.reader.slot for one in row.required])


def _group(row: RuleRow) -> Group:
    return Group(row.deny, tuple([one.reader for one in row.required]))


def _first_allow(rows: list[RuleRow]) -> int:
    """How many deny rows there are; they come first."""
    low = 0
    high = len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle].deny:
            low = middle + 1
        else:
            high = middle
    return low


def _changed(rows: list[RuleRow], row: RuleRow, adding: bool) -> list[RuleRow]:
    """A copy of rows in canonical order, with another one or without one of them. To add one that
    is there, or leave out one that is not, changes nothing."""
    made = rows.copy()
    place = place_of(row, made)
    there = place < len(made) and made[place] is row
    if adding and not there:
        made.insert(place, row)
    elif there and not adding:
        del made[place]
    return made
