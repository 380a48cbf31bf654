"""Deciding with what others know: what a decision needs and the request lacks is asked for, and
what was decided by it may be remembered.

Laws: nobody is asked, and nothing looked up, where the request says all that its decision reads.
What is not given in time closes, by the conditions that read it; such a decision is not remembered.
Nor is one that reads the clock, and none longer than the subject's roles stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from taskman_authz.attributes import Gatherer, Source, Wanted
from taskman_authz.bindings import Held
from taskman_authz.decision import Decision
from taskman_authz.decision_cache import DecisionCache, question
from taskman_authz.pdp import PDP, needs
from taskman_authz.policy import PolicySet
from taskman_authz.request import CheckRequest

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
        asked = self._gatherer.asks(request, wanted.subject, wanted.resource)
        if not asked:
            return request, pdp.decide(request, policies)
        if self._remembering is None or not wanted.is_timeless:
            found, decision, _ = await self._decide(pdp, request, policies, asked, seconds)
            return found, decision
        cache, held_by = self._remembering
        held = NOTHING if held_by is None else held_by(request)
        named = question(request, policies.revision, held.epoch)
        known = await cache.find(named) if named else None
        if known is not None and known.decision is not None:
            return request, known.decision
        found, decision, is_whole = await self._decide(pdp, request, policies, asked, seconds)
        if named is not None and known is not None and is_whole:
            await cache.keep(named, known.epochs, decision, held.seconds)
        return found, decision

    async def complete(
        self, request: CheckRequest, policies: PolicySet, seconds: float | None
    ) -> CheckRequest:
        """The request with what its decision needs, where that is given in `seconds`."""
        wanted = needs(policies, request)
        asked = self._gatherer.asks(request, wanted.subject, wanted.resource)
        return (await self._gatherer.gather(request, asked, seconds)).request

    async def _decide(
        self,
        pdp: PDP,
        request: CheckRequest,
        policies: PolicySet,
        asked: Asked,
        seconds: float | None,
    ) -> tuple[CheckRequest, Decision, bool]:
        gathered = await self._gatherer.gather(request, asked, seconds)
        if not gathered.is_answered:
            self._incomplete()
        return gathered.request, pdp.decide(gathered.request, policies), gathered.is_whole
