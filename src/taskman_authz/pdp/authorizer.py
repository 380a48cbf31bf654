"""The decision itself.

Law: pure. A decision is a function of the policies and the request: no clock, no file, no network,
no log.
"""

from __future__ import annotations

from .._fast.batch import Batch
from .._fast.decide import Outcome
from ..decision import Decision, Reason
from ..errors import require
from ..limits import DEFAULT, Limits
from ..policy import PolicySet
from ..request import CheckRequest


def authorize(policies: PolicySet, request: CheckRequest, doubt: Reason | None = None) -> Decision:
    """May this subject do this action on this resource, and why? With a `doubt`, which says why
    that would not be sure, never yes."""
    if type(policies) is not PolicySet or type(request) is not CheckRequest:
        require("policies", policies, PolicySet, "a PolicySet")
        require("request", request, CheckRequest, "a CheckRequest")
    decision = decision_of(policies.decider.decide(request), policies)
    if doubt is not None and decision.allowed:
        return Decision(False, (doubt,), policies.revision)
    return decision


def decision_of(outcome: Outcome, policies: PolicySet) -> Decision:
    """The decision that an outcome of these policies is. What is always the same is made once."""
    made: Decision | None = outcome.decision
    if made is None:
        made = outcome.decision = Decision(outcome.allowed, outcome.reasons, policies.revision)
    return made


def together(policies: PolicySet, limits: Limits = DEFAULT) -> Batch:
    """Decides questions as they stand in messages, one after another; None is the answer to one
    whose form is not the usual one. It is for one thread."""
    return Batch(
        policies.decider,
        lambda outcome: decision_of(outcome, policies),
        limits.property_depth,
        limits.answer_memory,
    )
