"""Rules, and the index that finds those that apply to a question.

A `RuleRow` is a policy as the decision needs it: where it applies (company, actions, resources,
roles), what it does (deny or allow), when (a condition) and what is then said (reasons, made by
whoever makes the row: here they are only carried).

Laws: rows are told in one canonical order, deny first, then by id and company, so that no answer
and no reason depends on the order in which policies were loaded or roles were listed. The index
tells exactly the rows of `all_rows()` that apply, and rows that share no pattern with a question
cost it nothing. The index never changes; what it remembers of questions is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .nodes import Node
from .wildcards import PatternTable, matches, split_resource

ANYONE = "*"  # the role that every subject holds


class RuleRow:
    """One policy. `number` is that of the condition among the distinct ones of its set, -1 where
    no other row has the same."""

    __slots__ = (
        "id",
        "company",
        "deny",
        "actions",
        "resources",
        "roles",
        "condition",
        "number",
        "decided",
        "failed",
        "unmet",
        "key",
    )

    def __init__(
        self,
        id: str,
        company: str | None,
        deny: bool,
        actions: tuple[str, ...],
        resources: tuple[str, ...],
        roles: tuple[str, ...],
        condition: Node | None,
        number: int,
        decided: Any,
        failed: Any,
        unmet: Any,
    ) -> None:
        self.id = id
        self.company = company
        self.deny = deny
        self.actions = actions
        self.resources = resources
        self.roles = roles
        self.condition = condition
        self.number = number
        self.decided = decided  # the outcome when the condition is true
        self.failed = failed  # a deny row's outcome, an allow row's reason when it fails
        self.unmet = unmet  # an allow row's reason when the condition is not true
        self.key = (not deny, id, company or "")

    def applies(
        self,
        company: str | None,
        action: str,
        kind: str,
        id: str,
        roles: Sequence[str],
    ) -> bool:
        """Whether this policy has a say, by the meaning of patterns alone."""
        return (
            (self.company is None or self.company == company)
            and any(role == ANYONE or role in roles for role in self.roles)
            and any(matches(pattern, action, ":") for pattern in self.actions)
            and any(_names(pattern, kind, id) for pattern in self.resources)
        )


def _names(pattern: str, kind: str, id: str) -> bool:
    kind_pattern, id_pattern = split_resource(pattern)
    return matches(kind_pattern, kind, "/") and matches(id_pattern, id, "/")


def _key(row: RuleRow) -> tuple[bool, str, str]:
    return row.key


def canonical(rows: Iterable[RuleRow]) -> tuple[RuleRow, ...]:
    """The rows in canonical order, each once."""
    return tuple(sorted(set(rows), key=_key))


class View:
    """What one (company, action, kind, roles) leads to: the rows that apply whatever the id is,
    and the tables to look up the id in."""

    __slots__ = ("rows", "tables")

    def __init__(self, rows: tuple[RuleRow, ...], tables: tuple[PatternTable, ...]) -> None:
        self.rows = rows
        self.tables = tables

    def of(self, id: str) -> tuple[RuleRow, ...]:
        """The rows that apply to the resource `id`."""
        found: list[RuleRow] = []
        for table in self.tables:
            for rows in table.find_restricted(id):
                found += rows
        return canonical([*self.rows, *found]) if found else self.rows


class RuleIndex:
    """The rows of a policy set by company, action, kind, role and id.

    `views` bounds how many looked-up (company, action, kind, roles) are kept ready, `references`
    what they may hold in all: rows, roles, and names, two characters as one. Names are the caller's
    to make up, so when it is full it is emptied; of roles only those are kept that some row names.
    """

    __slots__ = ("rows", "companies", "roles", "views", "references", "memory", "used")

    def __init__(self, rows: Iterable[RuleRow], views: int, references: int) -> None:
        self.rows = canonical(rows)
        self.companies: dict[str | None, PatternTable] = {}
        self.roles = frozenset(role for row in self.rows for role in row.roles)
        self.views = views
        self.references = references
        self.memory: dict[tuple[Any, ...], View] = {}
        self.used = 0
        for row in self.rows:
            self._insert(row)

    def all_rows(self) -> tuple[RuleRow, ...]:
        """Every row in canonical order: the index's unindexed twin."""
        return self.rows

    def candidates(
        self, company: str | None, action: str, kind: str, id: str, roles: tuple[str, ...]
    ) -> tuple[RuleRow, ...]:
        """The rows that apply, in canonical order."""
        view = self.memory.get((company, action, kind, roles))
        if view is None:  # then perhaps with the roles that matter: most subjects have no others
            view = self._prepared(company, action, kind, self._named(roles))
        return view.of(id) if view.tables else view.rows

    def remembered(self) -> tuple[int, int]:
        """How many look-ups are kept ready, and how much they hold in all."""
        return len(self.memory), self.used

    def _named(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """Those of some roles that a row names, each once."""
        known: list[str] = []
        for role in roles:
            if role in self.roles and role not in known:
                known.append(role)
        return tuple(known)

    def _prepared(
        self, company: str | None, action: str, kind: str, roles: tuple[str, ...]
    ) -> View:
        """The view of a question with named roles, from memory or looked up and remembered."""
        question = (company, action, kind, roles)
        view = self.memory.get(question)
        if view is None:
            view = self._look_up(company, action, kind, roles)
            names = len(action) + len(kind) + (0 if company is None else len(company))
            self._remember(question, view, len(view.rows) + len(roles) + names // 2)
        return view

    def _remember(self, question: tuple[Any, ...], view: View, size: int) -> None:
        if len(self.memory) >= self.views or self.used + size > self.references:
            self.memory = {}
            self.used = 0
        self.memory[question] = view
        self.used += size

    def _look_up(self, company: str | None, action: str, kind: str, roles: tuple[str, ...]) -> View:
        rows: list[RuleRow] = []
        tables: list[PatternTable] = []
        for owner in (None,) if company is None else (None, company):
            actions = self.companies.get(owner)
            if actions is None:
                continue
            for kinds in actions.find(action):
                for by_role in kinds.find(kind):
                    for role in {ANYONE, *roles}:
                        ids = by_role.get(role)
                        if ids is not None:
                            rows += ids.everything or ()
                            if ids.restricts():
                                tables.append(ids)
        return View(canonical(rows), tuple(tables))

    def _insert(self, row: RuleRow) -> None:
        actions = self.companies.get(row.company)
        if actions is None:
            actions = self.companies[row.company] = PatternTable(":")
        for action in row.actions:
            kinds = actions.place(action, _kinds)
            for resource in row.resources:
                kind, id = split_resource(resource)
                by_role = kinds.place(kind, dict)
                for role in row.roles:
                    if role not in by_role:
                        by_role[role] = PatternTable("/")
                    by_role[role].place(id, list).append(row)


def _kinds() -> PatternTable:
    return PatternTable("/")
