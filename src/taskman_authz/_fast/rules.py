"""The index that finds the rules that apply to a question.

Laws: the index tells exactly the rows of `all_rows()` that apply, and rows that share no pattern
with a question cost it nothing. Where many apply, what it `finds` are those of them that can have a
say or stand in the reasons, in parts; the others are not evaluated, and the decision is the same
(`cells` says why). An index never changes: `changed` gives another one, which shares with it what
both have. What it remembers of questions is bounded.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import Any

from .cells import Cell, Group
from .rows import ANYONE, RuleRow, canonical, key_of
from .wildcards import PatternTable, split_resource

# A change of more rows is made by building all anew, which takes some microseconds a row.
CHANGED_ROWS = 32
# With so many roles a look-up is also remembered as it was asked. More are sorted out each time:
# callers make them up, and a look-up that is remembered takes memory.
FEW = 8


class View:
    """What one (company, action, kind, roles) leads to, whatever the id is: rows that are evaluated
    in any case, groups that attributes choose from; and the tables to look up the id in."""

    __slots__ = ("rows", "groups", "tables")

    def __init__(
        self,
        cells: list[Cell],
        reasons: int,
        tables: tuple[PatternTable, ...] = (),
        given: View | None = None,
    ) -> None:
        rows: list[RuleRow] = [] if given is None else list(given.rows)
        groups: list[Group] = [] if given is None else list(given.groups)
        for cell in cells:
            rows += cell.told(reasons)
            if cell.groups is not None:
                groups += cell.groups.values()
        self.rows: tuple[RuleRow, ...] = canonical(rows)
        self.groups: tuple[Group, ...] = tuple(groups)
        self.tables = tables

    def of(self, id: str, reasons: int) -> View:
        """What it leads to for the resource `id`."""
        found: list[Cell] = []
        for table in self.tables:
            found += table.find_restricted(id)
        return View(found, reasons, (), self) if found else self


class RuleIndex:
    """The rows of a policy set by company, role, action, kind and id.

    `reasons` is how many allow rows a decision tells where none grants. `views` bounds how many
    looked-up (company, action, kind, roles) are kept ready, `references` what they may hold in all:
    rows, roles, and names, two characters as one. Names are the caller's to make up, so when it is
    full it is emptied; of many roles only those are kept that some row names.
    """

    __slots__ = ("rows", "tables", "roles", "reasons", "views", "references", "memory", "used")

    def __init__(self, rows: Iterable[RuleRow], views: int, references: int, reasons: int) -> None:
        self.rows = canonical(rows)
        # By (company, role) tables of actions, whose values are tables of kinds, of ids, of cells.
        self.tables: dict[Any, PatternTable] = {}
        self.reasons = reasons
        self.views = views
        self.references = references
        self.memory: dict[tuple[Any, ...], View] = {}
        self.used = 0
        for row in self.rows:
            self._insert(row)
        self.roles = frozenset([role for _, role in self.tables])

    def changed(self, gone: Iterable[RuleRow], new: Iterable[RuleRow]) -> RuleIndex:
        """Another index: without rows that are in this one, and with others that are not."""
        left_out, taken_in = canonical(gone), canonical(new)
        rows = list(self.rows)
        for row in left_out:
            del rows[bisect.bisect_left(rows, row.key, key=key_of)]
        for row in taken_in:
            bisect.insort(rows, row, key=key_of)
        if len(left_out) + len(taken_in) > CHANGED_ROWS:
            return RuleIndex(rows, self.views, self.references, self.reasons)
        made = RuleIndex((), self.views, self.references, self.reasons)
        made.rows = tuple(rows)
        made.tables = self.tables.copy()
        lost, found = _by_place(left_out), _by_place(taken_in)
        for place in {*lost, *found}:
            made._change(place, lost.get(place, []), found.get(place, []))
        made.roles = frozenset([role for _, role in made.tables])
        return made

    def all_rows(self) -> tuple[RuleRow, ...]:
        """Every row in canonical order: the index's unindexed twin."""
        return self.rows

    def candidates(
        self, company: str | None, action: str, kind: str, id: str, roles: tuple[str, ...]
    ) -> tuple[RuleRow, ...]:
        """The rows that apply, whatever the attributes are; in canonical order."""
        view = self.find(company, action, kind, id, roles)
        rows = list(view.rows)
        for group in view.groups:
            rows += group.rows
        return canonical(rows) if view.groups else view.rows

    def find(
        self, company: str | None, action: str, kind: str, id: str, roles: tuple[str, ...]
    ) -> View:
        """The rows that apply and may have a say: some, and groups to choose others from."""
        view = self.view(company, action, kind, roles)
        return view.of(id, self.reasons) if view.tables else view

    def view(self, company: str | None, action: str, kind: str, roles: tuple[str, ...]) -> View:
        """The same, of resources whatever their ids."""
        view = self.memory.get((company, action, kind, roles))
        return self._prepared(company, action, kind, roles) if view is None else view

    def remembered(self) -> tuple[int, int]:
        """How many look-ups are kept ready, and how much they hold in all."""
        return len(self.memory), self.used

    def _named(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """Those of some roles that a row names, each once."""
        return tuple(dict.fromkeys([role for role in roles if role in self.roles]))

    def _prepared(
        self, company: str | None, action: str, kind: str, roles: tuple[str, ...]
    ) -> View:
        """The view of a question, looked up and remembered: by its roles that some row names, and
        where they are few, by all of them, which need not be sorted out again."""
        names = len(action) + len(kind) + (0 if company is None else len(company))
        named = self._named(roles)
        question = (company, action, kind, named)
        view = self.memory.get(question)
        if view is None:
            view = self._look_up(company, action, kind, named)
            held = len(view.rows) + len(view.groups) + len(view.tables)
            self._remember(question, view, held + len(named) + names // 2)
        if len(named) < len(roles) <= FEW:
            names += sum([len(role) for role in roles])
            self._remember((company, action, kind, roles), view, len(roles) + names // 2)
        return view

    def _remember(self, question: tuple[Any, ...], view: View, size: int) -> None:
        if len(self.memory) >= self.views or self.used + size > self.references:
            self.memory = {}
            self.used = 0
        self.memory[question] = view
        self.used += size

    def _look_up(self, company: str | None, action: str, kind: str, roles: tuple[str, ...]) -> View:
        cells: list[Cell] = []
        tables: list[PatternTable] = []
        for owner in (None,) if company is None else (None, company):
            for role in {ANYONE, *roles}:
                actions = self.tables.get((owner, role))
                for kinds in () if actions is None else actions.find(action):
                    for ids in kinds.find(kind):
                        if ids.everything is not None:
                            cells.append(ids.everything)
                        if ids.restricts():
                            tables.append(ids)
        return View(cells, self.reasons, tuple(tables))

    def _insert(self, row: RuleRow) -> None:
        """Put a row into tables that are not in use yet."""
        for role in row.roles:
            actions = self.tables.get((row.company, role))
            if actions is None:
                actions = self.tables[row.company, role] = PatternTable(":")
            for action in row.actions:
                kinds = actions.place(action, _names)
                for resource in row.resources:
                    kind, id = split_resource(resource)
                    kinds.place(kind, _names).place(id, Cell).add(row)

    def _change(self, place: Place, gone: list[RuleRow], new: list[RuleRow]) -> None:
        """Put other tables in the place of those that lead to a cell."""
        company, role, action, kind, id = place
        actions = self.tables.get((company, role)) or PatternTable(":")
        kinds = actions.get(action) or _names()
        ids = kinds.get(kind) or _names()
        cell = (ids.get(id) or Cell()).changed(gone, new)
        ids = ids.changed(id, cell if cell.rows else None)
        kinds = kinds.changed(kind, ids.unless_empty())
        actions = actions.changed(action, kinds.unless_empty())
        if actions.unless_empty() is None:
            del self.tables[company, role]
        else:
            self.tables[company, role] = actions


# Where a row stands: company, role, and the patterns of the action, the kind and the id.
Place = tuple[str | None, str, str, str, str]


def _by_place(rows: Iterable[RuleRow]) -> dict[Place, list[RuleRow]]:
    """Rows by each place at which they stand, each once."""
    found: dict[Place, list[RuleRow]] = {}
    for row in rows:
        places = {
            (row.company, role, action, *split_resource(resource)): None
            for role in row.roles
            for action in row.actions
            for resource in row.resources
        }
        for place in places:
            found.setdefault(place, []).append(row)
    return found


def _names() -> PatternTable:
    return PatternTable("/")
