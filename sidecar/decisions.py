"""What all faces of the sidecar decide with, so that the same question has one answer.

Laws: nothing here knows a transport or a message. A batch is decided by the policies of one
revision, and an item that cannot be asked is denied in its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from taskman_authz.decision import INVALID, Decision, Reason
from taskman_authz.errors import RequestError
from taskman_authz.limits import DEFAULT, Limits
from taskman_authz.pdp import PDP
from taskman_authz.pdp.explain import DecisionExplanation, explain
from taskman_authz.policy import PolicySet
from taskman_authz.request import CheckRequest

# With when deciding began, on the clock of `time.perf_counter`.
Told = Callable[[CheckRequest, Decision, float], None]
Complete = Callable[[CheckRequest], CheckRequest]


class Decisions:
    """Decides by the policies of `pdp`. Each of `told` learns of every decision on a request.
    `complete` gives a request the attributes that are stored; None: none are."""

    def __init__(
        self,
        pdp: PDP,
        limits: Limits = DEFAULT,
        told: Sequence[Told] = (),
        complete: Complete | None = None,
    ) -> None:
        self.pdp = pdp
        self.limits = limits
        self.complete = complete
        self._told = tuple(told)

    def decide(self, request: CheckRequest, policies: PolicySet | None = None) -> Decision:
        """The decision on a request, by `policies` (None: those in force). Raises RequestError for
        one that cannot be completed."""
        began = time.perf_counter()
        if self.complete is not None:
            request = self.complete(request)
        decision = self.pdp.decide(request, policies)
        for tell in self._told:
            tell(request, decision, began)
        return decision

    def decide_all(self, items: Iterable[CheckRequest | RequestError]) -> list[Decision]:
        """One decision an item, in their order."""
        policies = self.pdp.policies
        if self.complete is not None or self._told:
            return [self.decide_item(item, policies) for item in items]
        decide = self.pdp.decide  # nobody else is asked or told: a batch is hundreds of these
        return [
            decide(item, policies)
            if type(item) is CheckRequest
            else self.decide_item(item, policies)
            for item in items
        ]

    def decide_item(self, item: CheckRequest | RequestError, policies: PolicySet) -> Decision:
        """The decision on an item of a batch."""
        try:
            if isinstance(item, RequestError):
                raise item
            return self.decide(item, policies)
        except RequestError as error:
            return self.invalid(error, policies)

    def explain(self, request: CheckRequest, others: bool) -> DecisionExplanation:
        """Why a request is decided as it is; with `others` also why each other rule does not
        apply. It contains attribute values. Raises RequestError as `decide`."""
        if self.complete is not None:
            request = self.complete(request)
        return explain(self.pdp.policies, request, others)

    def invalid(self, error: RequestError, policies: PolicySet) -> Decision:
        """The denial of a question that cannot be asked."""
        return Decision(False, (Reason(INVALID, "", str(error)),), policies.revision)
