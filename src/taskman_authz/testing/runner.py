"""Cases asked of the policies that they are about.

Laws: a run is a function of files: no clock but for how long a case took, no order between cases.
A case passes when the decision is the expected one and, where the case names a policy, that policy
made it; where it names a reason, that must be among the decision's, and of the policy if it names
one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import msgspec

from ..decision import ALLOWED, DENIED, DENIED_BY_ERROR, FAILED, Decision
from ..issues import Place
from ..pdp import authorize
from ..pdp.explain import explained_rules
from .cases import Case, Suite

# The reasons of a policy that decided; all others tell why one did not.
DECIDING = frozenset({ALLOWED, DENIED, DENIED_BY_ERROR})
FAULTY = frozenset({FAILED, DENIED_BY_ERROR})  # of one whose condition could not be evaluated


class Fault(msgspec.Struct, frozen=True):
    """Why the condition of a policy, written at `place`, could not be evaluated: which `part` of it
    failed, and how."""

    policy: str
    place: Place | None
    part: str
    message: str


class Result(msgspec.Struct, frozen=True):
    """What came of one case. `seconds` is how long the decision took. Of a case that failed there
    are the `faults` of conditions: a decision does not tell them, since it goes to whoever asked,
    and the author of a test has given all the attributes."""

    case: Case
    decision: Decision
    seconds: float
    faults: tuple[Fault, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the decision is the expected one, made by the expected policy."""
        return not self.complaint

    @property
    def deciders(self) -> tuple[str, ...]:
        """The ids of the policies that made the decision; none for a default deny."""
        return tuple(r.policy for r in self.decision.reasons if r.code in DECIDING)

    @property
    def complaint(self) -> str:
        """What is wrong, in a line; empty where nothing is."""
        if self.decision.effect != self.case.expected:
            return f"expected {self.case.expected}, got {self.decision.effect}"
        if self.case.reason:
            return self._reason_complaint()
        if self.case.policy and self.case.policy not in self.deciders:
            decided = " and ".join(f"`{policy}`" for policy in self.deciders) or "no policy"
            return f"expected policy `{self.case.policy}` to decide, {decided} did"
        return ""

    def _reason_complaint(self) -> str:
        code, policy = self.case.reason, self.case.policy
        reasons = self.decision.reasons
        if any(each.code == code and policy in ("", each.policy) for each in reasons):
            return ""
        found = ", ".join(f"{each.code} of `{each.policy}`" for each in reasons if each.policy)
        wanted = f"{code} of `{policy}`" if policy else code
        return f"expected reason {wanted}, found {found or reasons[0].code}"


def run(suites: Iterable[Suite], stop_at_first: bool = False) -> Iterator[Result]:
    """The results of all cases, as they come; with `stop_at_first` none after a failure."""
    for suite in suites:
        for case in suite.cases:
            result = run_case(suite, case)
            yield result
            if stop_at_first and not result.passed:
                return


def run_case(suite: Suite, case: Case) -> Result:
    """The result of one case of a suite."""
    begun = time.perf_counter()
    decision = authorize(suite.policies, case.request)
    result = Result(case, decision, time.perf_counter() - begun)
    if result.passed or not any(each.code in FAULTY for each in decision.reasons):
        return result
    return msgspec.structs.replace(result, faults=tuple(_faults(suite, case)))


def _faults(suite: Suite, case: Case) -> Iterator[Fault]:
    for rule in explained_rules(suite.policies, case.request):
        if rule.condition is not None and rule.condition.error is not None:
            origin = rule.condition.origin
            error = origin.error or rule.condition.error
            yield Fault(rule.policy, rule.place, origin.text, error.message)
