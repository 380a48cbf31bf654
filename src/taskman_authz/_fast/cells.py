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

# A table of rows by texts is in so many parts, and a change copies only the one that it is in.
PARTS = 64

_NONE: list[RuleRow] = []


class Table:
    """Rows by texts, for each text in canonical order."""

    __slots__ = ("parts",)

    def __init__(self) -> None:
        self.parts: list[dict[str, list[RuleRow]] | None] = [None] * PARTS

    def get(self, text: str) -> list[RuleRow]:
        """The rows of a text."""
        part = self.parts[hash(text) & (PARTS - 1)]
        return _NONE if part is None else part.get(text, _NONE)

    def add(self, text: str, row: RuleRow) -> None:
        """Take in a row."""
        number = hash(text) & (PARTS - 1)
        part = self.parts[number]
        if part is None:
            part = self.parts[number] = {}
        rows = part.get(text)
        if rows is None:
            part[text] = [row]
        else:
            rows.insert(place_of(row, rows), row)

    def changed(self, gone: dict[str, list[RuleRow]], new: dict[str, list[RuleRow]]) -> Table:
        """Another table, without some rows and with others. What stands under other texts is
        shared."""
        made = Table()
        made.parts = self.parts.copy()
        for text in {*gone, *new}:
            number = hash(text) & (PARTS - 1)
            part = (made.parts[number] or {}).copy()
            rows = _changed(part.get(text, _NONE), gone.get(text, _NONE), new.get(text, _NONE))
            if rows:
                part[text] = rows
            else:
                del part[text]
            made.parts[number] = part or None
        return made


class Group:
    """The deny or the allow rows of a cell that require something of the same attributes; for each
    attribute, the rows by the texts that they require."""

    __slots__ = ("deny", "readers", "rows", "tables")

    def __init__(self, deny: bool, readers: tuple[Attribute, ...]) -> None:
        self.deny = deny
        self.readers = readers
        self.rows: list[RuleRow] = []
        self.tables: tuple[Table, ...] = tuple([Table() for _ in readers])

    def select(self, activation: Activation) -> list[RuleRow]:
        """The rows that may have a say, by what the attributes are; in canonical order."""
        best = self.rows
        for number in range(len(self.readers)):
            reader: Attribute = self.readers[number]
            value = reader.value(activation)
            if type(value) is str:
                table: Table = self.tables[number]
                found = table.get(value)
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
                table.add(text, row)

    def changed(self, gone: list[RuleRow], new: list[RuleRow]) -> Group:
        """Another group, without some rows and with others. What stands under other texts is
        shared."""
        made = Group(self.deny, self.readers)
        made.rows = _changed(self.rows, gone, new)
        made.tables = tuple(
            [
                table.changed(_by_text(gone, number), _by_text(new, number))
                for number, table in enumerate(self.tables)
            ]
        )
        return made


def _by_text(rows: list[RuleRow], number: int) -> dict[str, list[RuleRow]]:
    """Rows by the texts that they require of attribute `number` of those that they require."""
    found: dict[str, list[RuleRow]] = {}
    for row in rows:
        for text in row.required[number].texts:
            found.setdefault(text, []).append(row)
    return found


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

    def changed(self, gone: list[RuleRow], new: list[RuleRow]) -> Cell:
        """Another cell, without some rows and with others."""
        made = Cell()
        made.rows = _changed(self.rows, gone, new)
        if len(made.rows) <= MANY:
            return made
        if self.groups is None:
            made._sort_in_all()
            return made
        lost, found = _by_mark(gone), _by_mark(new)
        made.plain = _changed(self.plain, lost.pop((), _NONE), found.pop((), _NONE))
        made.groups = self.groups.copy()
        for mark in {*lost, *found}:
            group = made.groups.get(mark) or _group(found[mark][0])
            group = group.changed(lost.get(mark, _NONE), found.get(mark, _NONE))
            if group.rows:
                made.groups[mark] = group
            else:
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
    """What group a row is of: its effect, and the slots of what it requires something of; () if it
    requires nothing."""
    return (row.deny, *[one.reader.slot for one in row.required]) if row.required else ()


def _by_mark(rows: list[RuleRow]) -> dict[tuple[int, ...], list[RuleRow]]:
    found: dict[tuple[int, ...], list[RuleRow]] = {}
    for row in rows:
        found.setdefault(_mark(row), []).append(row)
    return found


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


def _changed(rows: list[RuleRow], gone: list[RuleRow], new: list[RuleRow]) -> list[RuleRow]:
    """A copy of rows in canonical order, without some of them and with others."""
    if not gone and not new:
        return rows
    made = rows.copy()
    for row in gone:
        del made[place_of(row, made)]
    for row in new:
        made.insert(place_of(row, made), row)
    return made
