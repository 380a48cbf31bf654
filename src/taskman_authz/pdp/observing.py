"""Decisions that somebody follows: written to a log, compared with those of a candidate.

Law: a decision that must be logged and cannot be is a no.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..decision import NOT_LOGGED, Decision, Reason
from ..policy import PolicySet
from ..request import CheckRequest
from .authorizer import authorize
from .shadow import Shadow

# Appends a decision and the nanoseconds that it took, and waits for nothing. False: it was not
# taken, and must not be acted on.
Log = Callable[[CheckRequest, Decision, int], bool]

_REASON = (Reason(NOT_LOGGED, "", "the decision cannot be logged"),)


class Observer:
    """Decides as `authorize` does, and tells `log` and `shadow`."""

    __slots__ = ("log", "shadow")

    def __init__(self, log: Log | None, shadow: Shadow | None) -> None:
        self.log = log
        self.shadow = shadow

    def decide(
        self, policies: PolicySet, request: CheckRequest, doubt: Reason | None = None
    ) -> Decision:
        """The decision; a no where it cannot be logged."""
        began = time.perf_counter_ns()
        decision = authorize(policies, request, doubt)
        duration = time.perf_counter_ns() - began
        if self.shadow is not None and doubt is None:  # else the candidate cannot be sure either
            self.shadow.compare(request, decision)
        if self.log is not None and not self._logged(self.log, request, decision, duration):
            return Decision(False, _REASON, decision.revision) if decision.allowed else decision
        return decision

    def _logged(self, log: Log, request: CheckRequest, decision: Decision, duration: int) -> bool:
        try:
            return bool(log(request, decision, duration))
        except Exception:  # whatever failed, nobody can say that it was written
            return False
