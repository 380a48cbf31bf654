"""Who administers, and whether they may."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from taskman_authz.limits import Limits
from taskman_authz.request import CheckRequest, Entity, make_request
from taskman_authz.v1 import administration_pb2 as pb
from taskman_authz.wire import read_properties

from ..decisions import Decisions
from ..door import Call
from ..security import Names
from ..status import Code, Refusal

Asked = tuple[str, str]  # an action, and what it is done to: `policies:edit`, `policies/one`


class Actor(NamedTuple):
    """Who asks: `subject` as `type:id`, with attributes, company ("": the platform's) and
    context."""

    subject: str
    properties: dict[str, Any]
    company: str
    context: dict[str, Any]


class Permission:
    """Asks `decisions`. Callers of these names may say on whose behalf they ask."""

    def __init__(self, decisions: Decisions, callers: Sequence[str], limits: Limits) -> None:
        self._decisions = decisions
        self._trusted = Names(callers)
        self._limits = limits

    async def require(self, request: Any, call: Call, asked: Iterable[Asked]) -> Actor:
        """Who asks for `request`, if all of that may be done in its company. Raises Refusal,
        RequestError."""
        actor = self._actor(request, call)
        company = request.company_id
        if actor.company and actor.company != company:
            raise Refusal(Code.PERMISSION_DENIED, "the actor belongs to another company")
        for action, resource in asked:
            question = self._question(actor, company, action, resource)
            if self._decisions.waits:
                decision = await self._decisions.decide_later(question, call)
            else:
                decision = self._decisions.decide(question)
            if not decision.allowed:
                why = "; ".join(str(reason) for reason in decision.reasons)
                raise Refusal(Code.PERMISSION_DENIED, f"{action}: {why}")
        return actor

    def _actor(self, request: Any, call: Call) -> Actor:
        names = call.caller.names
        if not names:
            raise Refusal(Code.UNAUTHENTICATED, "expected a caller that proves who it is")
        if not request.HasField("actor"):
            name = names[0]
            return Actor(name if ":" in name else f"caller:{name}", {}, "", {})
        if not self._trusted.include(call.caller):
            raise Refusal(Code.PERMISSION_DENIED, "this caller may not name an actor")
        said: pb.Actor = request.actor
        properties = read_properties(said.properties, "actor.properties", self._limits)
        context = read_properties(said.context, "actor.context", self._limits)
        if said.company_id:
            properties["company_id"] = said.company_id
        return Actor(said.subject, properties, said.company_id, context)

    def _question(self, actor: Actor, company: str, action: str, resource: str) -> CheckRequest:
        kind, _, id = actor.subject.partition(":")
        subject: Any = Entity(kind, id, actor.properties) if kind and id else actor.subject
        of = {"company_id": company} if company else {"of_platform": True}
        room, _, name = resource.partition("/")
        thing = Entity(room, name, of)
        now = time.time_ns()
        return make_request(
            subject, action, thing, actor.context, company or None, now, self._limits
        )
