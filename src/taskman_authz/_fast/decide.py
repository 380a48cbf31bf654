"""How rules become one decision. Nowhere else do effects combine.

Laws: deny overrides allow; nothing that grants is a no. Only a condition that is `true` grants.
In a deny rule everything but `false` denies: an error closes. Equal conditions are evaluated at
most once for a question. The outcome is that of the first deciding row in canonical order.
"""

from __future__ import annotations

from typing import Any

from .access import EntityValue
from .activation import Activation, Path
from .rules import RuleIndex, RuleRow
from .times import Timestamp
from .values import Fault


class Outcome:
    """What was decided, by which row (None: by default) and why: `reasons` are the row's own."""

    __slots__ = ("allowed", "row", "reasons")

    def __init__(self, allowed: bool, row: RuleRow | None, reasons: tuple[Any, ...]) -> None:
        self.allowed = allowed
        self.row = row
        self.reasons = reasons


def combine(
    rows: tuple[RuleRow, ...], activation: Activation, nothing: Outcome, limit: int
) -> Outcome:
    """The outcome of rows that apply, in canonical order, over what the activation holds.

    A default deny tells at most `limit` allow rows that did not grant; where there is none, the
    outcome is `nothing`.
    """
    shared: dict[int, Any] = {}
    unmet: list[Any] = []
    for row in rows:
        value = _value(row, activation, shared)
        if row.deny:
            if value is not False:
                return Outcome(False, row, row.decided if value is True else row.failed)
        elif value is True:
            return Outcome(True, row, row.decided)
        elif len(unmet) < limit:
            unmet.append(row.unmet if value is False else row.failed)
    return Outcome(False, None, tuple(unmet)) if unmet else nothing


def _value(row: RuleRow, activation: Activation, shared: dict[int, Any]) -> Any:
    """The value of a row's condition: True where it has none."""
    if row.condition is None:
        return True
    if row.number < 0:
        return row.condition.value(activation)
    if row.number not in shared:
        shared[row.number] = row.condition.value(activation)
    return shared[row.number]


class Decider:
    """Decides requests by the rows of an index, whose conditions read through `paths`.

    It is immutable but for a list of spare activations, each in use by one decision at a time.
    """

    __slots__ = ("index", "paths", "registers", "nothing", "limit", "spare")

    def __init__(
        self,
        index: RuleIndex,
        paths: list[Path],
        registers: int,
        nothing: tuple[Any, ...],
        limit: int,
    ) -> None:
        self.index = index
        self.paths = paths
        self.registers = registers
        self.nothing = Outcome(False, None, nothing)
        self.limit = limit
        self.spare: list[Activation] = []

    def decide(self, request: Any) -> Outcome:
        """The outcome of a request: an object with the fields of a `CheckRequest`."""
        rows = self.index.candidates(
            request.company_id,
            request.action,
            request.resource_type,
            request.resource_id,
            request.roles,
        )
        return self.decide_by(rows, request) if rows else self.nothing

    def decide_by(self, rows: tuple[RuleRow, ...], request: Any) -> Outcome:
        """The outcome of a request by rows that apply to it, in canonical order."""
        try:
            activation = self.spare.pop()  # atomic: threads never share an activation
        except IndexError:
            activation = Activation(self.paths, self.registers)
        activation.roots = _roots(request)
        outcome = combine(rows, activation, self.nothing, self.limit)
        activation.clear()
        self.spare.append(activation)
        return outcome


def _roots(request: Any) -> tuple[Any, ...]:
    """What conditions may read, in the order of the policy variables. Without a company there is
    no `company_id`: to read it is an error. A context that was not given is an empty one."""
    company, context = request.company_id, request.context
    return (
        EntityValue(request.subject_type, request.subject_id, request.subject, False),
        EntityValue(request.resource_type, request.resource_id, request.resource, False),
        EntityValue("", request.action, request.action_attributes, True),
        _EMPTY if context is None else context,
        _NO_COMPANY if company is None else company,
        Timestamp(request.now),
    )


_EMPTY: dict[str, Any] = {}
_NO_COMPANY = Fault("no_such_attribute", ("company_id",))
