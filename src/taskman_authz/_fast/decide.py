"""How rules become one decision. Nowhere else do effects combine.

Laws: deny overrides allow; nothing that grants is a no. Only a condition that is `true` grants.
In a deny rule everything but `false` denies: an error closes. Equal conditions are evaluated at
most once for a question. The outcome is that of the first deciding row in canonical order.
"""

from __future__ import annotations

from typing import Any

from .activation import Activation
from .rules import RuleRow


class Outcome:
    """What was decided, by which row (None: by default) and why: `reasons` are the row's own."""

    __slots__ = ("allowed", "row", "reasons")

    def __init__(self, allowed: bool, row: RuleRow | None, reasons: tuple[Any, ...]) -> None:
        self.allowed = allowed
        self.row = row
        self.reasons = reasons


def decide(
    rows: tuple[RuleRow, ...], activation: Activation, nothing: tuple[Any, ...], limit: int
) -> Outcome:
    """The outcome of rows that apply, in canonical order, over what the activation holds.

    A default deny tells at most `limit` allow rows that did not grant, `nothing` if there is none.
    """
    shared: dict[int, Any] = {}
    unmet = []
    for row in rows:
        value = _value(row, activation, shared)
        if row.deny:
            if value is not False:
                return Outcome(False, row, row.decided if value is True else row.failed)
        elif value is True:
            return Outcome(True, row, row.decided)
        elif len(unmet) < limit:
            unmet.append(row.unmet if value is False else row.failed)
    return Outcome(False, None, tuple(unmet) if unmet else nothing)


def _value(row: RuleRow, activation: Activation, shared: dict[int, Any]) -> Any:
    """The value of a row's condition: True where it has none."""
    if row.condition is None:
        return True
    if row.number < 0:
        return row.condition.value(activation)
    if row.number not in shared:
        shared[row.number] = row.condition.value(activation)
    return shared[row.number]
