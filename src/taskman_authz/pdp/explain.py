"""Why a decision is what it is, for those who administer policies: every rule that had a say, the
clause that decided with the values seen, why the others had none, and what would flip the answer.

Laws: pure, as the decision. The decision that is explained is the one that `authorize` makes. An
explanation contains attribute values: it is not for the caller who was denied.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .._fast.rows import ANYONE, RuleRow
from .._fast.wildcards import matches, split_resource
from ..cel import Explanation
from ..cel.clauses import decided
from ..decision import Decision, Effect
from ..issues import Place
from ..policy import PolicySet
from ..request import CheckRequest
from .authorizer import authorize
from .changes import Change, Search, smallest_change
from .conditions import Conditions, variables_of

# What a rule that applies came to: its condition is true (or it has none), is not, or failed.
Outcome = Literal["met", "not_met", "failed"]


class Mismatch(msgspec.Struct, frozen=True):
    """Why a rule does not apply: the `field` (company, action, resource, role), what the rule asks
    for, and what the request has."""

    field: str
    asked: tuple[str, ...]
    found: tuple[str, ...]


class RuleExplanation(msgspec.Struct, frozen=True):
    """A rule, and what it had to say.

    It `applies` if there are no `mismatches`; then it has an `outcome`, and it `decided` if the
    decision is this rule's. `condition` is every part of its condition with what that came to,
    None if it has none, and `deciding` are the clauses that made it so. `place` is where the policy
    is written, None if that is not known.
    """

    policy: str
    company: str | None
    effect: Effect
    place: Place | None = None
    mismatches: tuple[Mismatch, ...] = ()
    outcome: Outcome | None = None
    decided: bool = False
    condition: Explanation | None = None
    deciding: tuple[Explanation, ...] = ()

    @property
    def applies(self) -> bool:
        """Whether it has a say."""
        return not self.mismatches


class DecisionExplanation(msgspec.Struct, frozen=True):
    """A decision, the rules that apply, in the order in which they decide (`others`: those that do
    not, where these were asked for), and what came of the search for the smallest change."""

    decision: Decision
    rules: tuple[RuleExplanation, ...]
    others: tuple[RuleExplanation, ...]
    search: Search

    @property
    def change(self) -> Change | None:
        """The smallest change of attributes that was found to flip the decision."""
        return self.search.change


def explain(
    policies: PolicySet, request: CheckRequest, others: bool = False
) -> DecisionExplanation:
    """Explain the decision on a request; with `others` also why each other rule does not apply."""
    conditions = Conditions(policies)
    decision = authorize(policies, request)
    rules = _applying(policies, request, conditions)
    applying = frozenset(_candidates(policies, request))
    rest = [each for each in policies.rules if others and each not in applying]
    return DecisionExplanation(
        decision,
        rules,
        tuple(_unfit(policies, each, request) for each in rest),
        smallest_change(policies, request, conditions, decision),
    )


def explained_rules(policies: PolicySet, request: CheckRequest) -> tuple[RuleExplanation, ...]:
    """The rules that apply, in the order in which they decide, without a search for what would
    change the decision."""
    return _applying(policies, request, Conditions(policies))


def _applying(
    policies: PolicySet, request: CheckRequest, conditions: Conditions
) -> tuple[RuleExplanation, ...]:
    row = policies.decider.decide(request).row
    variables = variables_of(request)
    return tuple(
        _explained(policies, each, each is row, conditions, variables)
        for each in _candidates(policies, request)
    )


def _candidates(policies: PolicySet, request: CheckRequest) -> tuple[RuleRow, ...]:
    return policies.index.candidates(
        request.company_id,
        request.action,
        request.resource_type,
        request.resource_id,
        request.roles,
    )


def _explained(
    policies: PolicySet,
    row: RuleRow,
    decides: bool,
    conditions: Conditions,
    variables: dict[str, Any],
) -> RuleExplanation:
    condition = conditions.of(row)
    if condition is None:
        return _rule(policies, row, outcome="met", decided=decides)
    whole, deciding = decided(*condition, variables)
    outcome: Outcome = "met" if whole.value is True else "not_met"
    if type(whole.value) is not bool:
        outcome = "failed"
    return _rule(
        policies, row, outcome=outcome, decided=decides, condition=whole, deciding=deciding
    )


def _unfit(policies: PolicySet, row: RuleRow, request: CheckRequest) -> RuleExplanation:
    kind, id = request.resource_type, request.resource_id
    found = []
    if row.company is not None and row.company != request.company_id:
        asked = () if request.company_id is None else (request.company_id,)
        found.append(Mismatch("company", (row.company,), asked))
    if not any(matches(pattern, request.action, ":") for pattern in row.actions):
        found.append(Mismatch("action", row.actions, (request.action,)))
    if not any(_names(pattern, kind, id) for pattern in row.resources):
        found.append(Mismatch("resource", row.resources, (f"{kind}/{id}",)))
    if not any(role == ANYONE or role in request.roles for role in row.roles):
        found.append(Mismatch("role", row.roles, request.roles))
    return _rule(policies, row, mismatches=tuple(found))


def _names(pattern: str, kind: str, id: str) -> bool:
    kind_pattern, id_pattern = split_resource(pattern)
    return matches(kind_pattern, kind, "/") and matches(id_pattern, id, "/")


def _rule(policies: PolicySet, row: RuleRow, **about: Any) -> RuleExplanation:
    origin = policies.origins.of(row)
    effect: Effect = "deny" if row.deny else "allow"
    place = None if origin is None else origin.place
    return RuleExplanation(row.id, row.company, effect, place, **about)
