"""Envoy's `envoy.service.auth.v3.Authorization`: whether a request goes on.

Laws: what is not allowed is denied: a path that no route has, one that may be read as two, a
request of nobody who is known, anything that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from taskman_authz.decision import Decision
from taskman_authz.request import CheckRequest, Entity

from ..authorization import Later, Served
from ..decisions import Decisions
from ..door import Call
from ..status import Code
from .answers import NO_ROUTE, NO_SUBJECT, Denials, Told, go_on
from .questions import Asked, find_subject, make_question
from .table import Route, Table, text

SERVICE = "envoy.service.auth.v3.Authorization"


class Question(NamedTuple):
    """A request at a proxy, and what it asks."""

    table: Table
    asked: Asked
    route: str
    proven: Mapping[str, Any]
    subject: Entity
    request: CheckRequest


class ExtAuthz:
    """Answers by the table that `table` gives, with what `decisions` decides. `trusted` are the
    headers that say who asks."""

    def __init__(
        self,
        decisions: Decisions,
        table: Callable[[], Table],
        denials: Denials,
        trusted: Sequence[str] = (),
    ) -> None:
        self._decisions = decisions
        self._table = table
        self._denials = denials
        self._trusted = {header.replace("-", "_"): header for header in trusted}

    def methods(self) -> Mapping[str, Served]:
        """The methods of the service by name."""
        return {"Check": Later(self.check_later) if self._decisions.waits else self.check}

    def check(self, data: bytes, call: Call) -> bytes:
        """CheckRequest → CheckResponse. Raises RequestError."""
        question = self._question(data, call)
        if isinstance(question, bytes):
            return question
        return self._answer(question, self._decisions.decide(question.request))

    async def check_later(self, data: bytes, call: Call) -> bytes:
        """As `check`."""
        question = self._question(data, call)
        if isinstance(question, bytes):
            return question
        return self._answer(question, await self._decisions.decide_later(question.request, call))

    def _question(self, data: bytes, call: Call) -> Question | bytes:
        """What is to be decided, or the answer where that is nothing."""
        table = self._table()
        asked = Asked(data, self._decisions.limits)
        call.request_id = call.request_id or asked.id
        found = table.find(asked.method, asked.target.segments)
        if found is None:
            told = Told("deny", reasons=(NO_ROUTE,))
            return self._denials.deny(Code.PERMISSION_DENIED, told)
        route, parameters = found
        if route.is_public:
            return go_on(table, asked.headers, {}, Told("public", str(route)))
        return self._of_route(table, asked, route, parameters)

    def _of_route(
        self, table: Table, asked: Asked, route: Route, parameters: dict[str, str]
    ) -> Question | bytes:
        proven = asked.proven(table, self._trusted)
        subject = find_subject(table, proven)
        if subject is None:
            told = Told("deny", str(route), (NO_SUBJECT,))
            return self._denials.deny(Code.UNAUTHENTICATED, told)
        sent = asked.sent(route, parameters)
        request = make_question(table, route, subject, proven, sent, self._decisions.limits)
        return Question(table, asked, str(route), proven, subject, request)

    def _answer(self, question: Question, decision: Decision) -> bytes:
        told = Told.of(decision, question.route)
        if not decision.allowed:
            return self._denials.deny(Code.PERMISSION_DENIED, told)
        table = question.table
        headers = _headers(table, question.proven, question.subject, question.request, told)
        return go_on(table, question.asked.headers, headers, told)


def _headers(
    table: Table, proven: Mapping[str, Any], subject: Entity, request: CheckRequest, told: Told
) -> dict[str, str]:
    """What the upstream is told. A header of which there is nothing to tell is left out."""
    decision = {
        "revision": told.revision,
        "policies": [reason.policy for reason in told.reasons if reason.policy],
    }
    if request.company_id:
        decision["company_id"] = request.company_id
    variables = {
        **proven,
        "subject": {**subject.attributes, "type": subject.type, "id": subject.id},
        "decision": decision,
    }
    found = {
        name: text(program, variables, f"headers.{name}") for name, program in table.headers.items()
    }
    return {name: value for name, value in found.items() if value}
