"""Conditions to look into: the trees of a set's conditions, and what they read of a request.

A decision keeps neither; what explains one, or watches one, begins here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .._fast.access import EntityValue
from .._fast.rows import RuleRow
from .._fast.times import timestamp_of
from ..cel import Env, Source
from ..cel.expression import Expression
from ..policy import PolicySet
from ..request import CheckRequest


class Conditions:
    """The conditions of a policy set as trees, each compiled when it is first asked for. They have
    the steps that a decision has."""

    def __init__(self, policies: PolicySet) -> None:
        self._origins = policies.origins
        self._steps = policies.limits.decision_steps
        self._known: dict[tuple[Env, str], Expression] = {}

    def of(self, row: RuleRow) -> tuple[Expression, Source] | None:
        """A rule's condition; None where it has none, or nobody knows how it was written."""
        origin = None if row.condition is None else self._origins.of(row)
        if origin is None or origin.condition is None:
            return None
        source, env = origin.condition.source, origin.condition.env
        expression = self._known.get((env, source.text))
        if expression is None:
            expression = env.compile(source).origin.expression(source)
            limits = msgspec.structs.replace(expression.limits, evaluation_steps=self._steps)
            expression = expression._replace(limits=limits)
            self._known[env, source.text] = expression
        return expression, source


def variables_of(request: CheckRequest) -> dict[str, Any]:
    """What conditions read of a request, by the names of the policy variables. As in a decision
    there is no `company_id` where none was given, and a context that was not given is empty."""
    asked = request
    variables: dict[str, Any] = {
        "subject": EntityValue(asked.subject_type, asked.subject_id, asked.subject, False),
        "resource": EntityValue(asked.resource_type, asked.resource_id, asked.resource, False),
        "action": EntityValue("", asked.action, asked.action_attributes, True),
        "context": {} if asked.context is None else asked.context,
        "now": timestamp_of(asked.now, "now"),
    }
    if asked.company_id is not None:
        variables["company_id"] = asked.company_id
    return variables
