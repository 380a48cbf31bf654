"""The decision itself.

Law: pure. A decision is a function of the policies and the request: no clock, no file, no network,
no log.
"""

from __future__ import annotations

from ..decision import Decision
from ..policy import PolicySet
from ..request import CheckRequest


def authorize(policies: PolicySet, request: CheckRequest) -> Decision:
    """May this subject do this action on this resource, and why?"""
    outcome = policies.decider.decide(request)
    return Decision(outcome.allowed, outcome.reasons, policies.revision)
