"""The decision itself.

Law: pure. A decision is a function of the policies and the request: no clock, no file, no network,
no log.
"""

from __future__ import annotations

from ..decision import Decision
from ..errors import require
from ..policy import PolicySet
from ..request import CheckRequest


def authorize(policies: PolicySet, request: CheckRequest) -> Decision:
    """May this subject do this action on this resource, and why?"""
    if type(policies) is not PolicySet or type(request) is not CheckRequest:
        require("policies", policies, PolicySet, "a PolicySet")
        require("request", request, CheckRequest, "a CheckRequest")
    outcome = policies.decider.decide(request)
    return Decision(outcome.allowed, outcome.reasons, policies.revision)
