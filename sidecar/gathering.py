"""Deciding with what others know: what a decision needs and the request lacks is asked for, and
what was decided by it may be remembered.

Laws: nobody is asked, and nothing looked up, where the request says all that its decision reads.
What is not given in time closes, by the conditions that read it; where a condition asks whether it
is there, nobody knows, and the answer is not a yes. Such a decision is not remembered. Nor is one
that reads the clock, and none longer than the subject's roles stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from taskman_authz.attributes import Gathered, Gatherer, Source, Wanted
from taskman_authz.bindings import Held
from taskman_authz.decision import UNAVAILABLE, Decision, Reason
from taskman_authz.decision_cache import DecisionCache, question
from taskman_authz.pdp import PDP, Needs, needs
from taskman_authz.policy import PolicySet
from taskman_authz.request import CheckRequest

from .status import Code, Refusal

NOT_GIVEN = Reason(UNAVAILABLE, "", "attributes that the decision depends on were not given")
NOTHING = Held((), "", None)
Asked = Mapping[Source, Sequence[Wanted]]


class Remembering(NamedTuple):
    """Where decisions are remembered, and who tells what roles the subject of a request holds
    (None: nobody knows but the request)."""

    cache: DecisionCache
    held: Callable[[CheckRequest], Held] | None = None


class Gathering:
    """Asks by `gatherer`. `incomplete` is called for each decision that was made though somebody
    who was asked did not answer."""

    def __init__(
        self,
        gatherer: Gatherer,
        remembering: Remembering | None = None,
        incomplete: Callable[[], object] = lambda: None,
    ) -> None:
        self._gatherer = gatherer
        self._remembering = remembering
        self._incomplete = incomplete

    async def decide(
        self, pdp: PDP, request: CheckRequest, policies: PolicySet, seconds: float | None
    ) -> tuple[CheckRequest, Decision]:
        """The request with what was gathered for it in `seconds`, and its decision."""
        wanted = needs(policies, request)
        asked = self._asked(pdp, request, wanted)
        if not asked:
            return request, pdp.decide(request, policies)
        if self._remembering is None or not wanted.is_timeless:
            gathered = await self._gatherer.gather(request, asked, seconds)
            return gathered.request, self._decided(pdp, gathered, policies, wanted)
        cache, held_by = self._remembering
        held = NOTHING if held_by is None else held_by(request)
        named = question(request, policies.revision, held.epoch)
        known = await cache.find(named) if named else None
        if known is not None and known.decision is not None:
            return request, known.decision
        gathered = await self._gatherer.gather(request, asked, seconds)
        decision = self._decided(pdp, gathered, policies, wanted)
        if named is not None and known is not None and gathered.is_whole:
            await cache.keep(named, known.epochs, decision, held.seconds)
        return gathered.request, decision

    async def complete(
        self, request: CheckRequest, policies: PolicySet, seconds: float | None
    ) -> CheckRequest:
        """The request with what its decision needs. Raises Refusal where that is not given in
        `seconds`."""
        wanted = needs(policies, request)
        asked = self._gatherer.asks(request, wanted.subject, wanted.resource)
        gathered = await self._gatherer.gather(request, asked, seconds)
        if gathered.unanswered:
            raise Refusal(Code.UNAVAILABLE, "a source of attributes did not answer")
        return gathered.request

    def is_sure(self, request: CheckRequest, policies: PolicySet) -> bool:
        """Whether nobody who is asked could make a no of a yes that was given without them."""
        wanted = needs(policies, request)
        unsure = wanted.unsure & wanted.lacking
        subject, resource = (
            frozenset(name for root, name in unsure if root == part)
            for part in ("subject", "resource")
        )
        return not self._gatherer.asks(request, subject, resource)

    def _asked(self, pdp: PDP, request: CheckRequest, wanted: Needs) -> Asked:
        """Who is asked, and for what; what a candidate beside needs is part of it."""
        subject, resource = wanted.subject, wanted.resource
        if pdp.shadow is not None:
            more = needs(pdp.shadow.policies, request)
            subject, resource = subject | more.subject, resource | more.resource
        return self._gatherer.asks(request, subject, resource)

    def _decided(
        self, pdp: PDP, gathered: Gathered, policies: PolicySet, wanted: Needs
    ) -> Decision:
        if not gathered.unanswered:
            return pdp.decide(gathered.request, policies)
        self._incomplete()
        unsure = wanted.unsure & wanted.lacking
        is_unsure = any(root in gathered.unanswered for root, name in unsure)
        return pdp.decide(gathered.request, policies, NOT_GIVEN if is_unsure else None)
