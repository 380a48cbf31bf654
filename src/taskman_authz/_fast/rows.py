"""Rules as a decision needs them, and their one order.

A `RuleRow` is a policy: where it applies (company, actions, resources, roles), what it does (deny
or allow), when (a condition) and what is then said (reasons, made by whoever makes the row: here
they are only carried).

Law: rows are told in one canonical order, deny first, then by id and company, so that no answer and
no reason depends on the order in which policies were loaded or roles were listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .nodes import Node
from .required import Required, required_of
from .wildcards import matches, split_resource

ANYONE = "*"  # the role that every subject holds


class RuleRow:
    """One policy. `number` is that of the condition among the distinct ones of its set, -1 where
    no other row has the same, and `text` what it was made of. `required` is what the condition
    requires of attributes; whoever knows it already gives it."""

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
        "text",
        "required",
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
        text: str = "",
        required: tuple[Required, ...] | None = None,
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
        self.text = text
        self.required = required_of(condition) if required is None else required

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


def key_of(row: RuleRow) -> tuple[bool, str, str]:
    """What rows are ordered by."""
    return row.key


def canonical(rows: Iterable[RuleRow]) -> tuple[RuleRow, ...]:
    """The rows in canonical order, each once."""
    return tuple(sorted(dict.fromkeys(rows), key=key_of))


def is_before(row: RuleRow, other: RuleRow) -> bool:
    """Whether a row comes before another one in canonical order."""
    if row.deny != other.deny:
        return row.deny
    return row.id < other.id or (row.id == other.id and row.key < other.key)


def place_of(row: RuleRow, rows: list[RuleRow]) -> int:
    """How many of some rows in canonical order come before `row`."""
    low = 0
    high = len(rows)
    while low < high:
        middle = (low + high) // 2
        if is_before(rows[middle], row):
            low = middle + 1
        else:
            high = middle
    return low


def having(rows: tuple[RuleRow, ...], texts: set[str]) -> list[RuleRow]:
    """Those rows whose conditions are some of these texts."""
    return [row for row in rows if row.text in texts]


def merged(rows: tuple[RuleRow, ...], others: list[RuleRow]) -> tuple[RuleRow, ...]:
    """Rows and others, both in canonical order, as one."""
    made: list[RuleRow] = []
    number = 0
    count = len(others)
    for row in rows:
        while number < count and others[number] is not row and is_before(others[number], row):
            made.append(others[number])
            number += 1
        if number < count and others[number] is row:
            number += 1
        made.append(row)
    while number < count:
        made.append(others[number])
        number += 1
    return tuple(made)
