"""The policy enforcement point: asks the decision point before something is done.

Laws: no answer is a no, as is an answer that came too late. What is known of a user is asked of
who keeps users, before each decision; where they do not answer there is no decision. A denial tells
the caller the reasons, which hold no values.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from taskman_authz import PDP, Decision, RequestError, UnavailableError
from taskman_authz.breaker import BreakerSettings

from .caller import Caller
from .errors import Denied, Unavailable
from .metrics import Metrics
from .settings import Settings
from .tracing import Traces

About = Callable[[Caller], Awaitable[Mapping[str, Any]]]
BATCH = 500  # questions of one batch
TIMEOUT = 1.0  # seconds for a decision


class Resource(NamedTuple):
    """What something is done to: `tasks`, its id, and what policies read of it."""

    kind: str
    id: str
    attributes: Mapping[str, Any] = {}

    @property
    def entity(self) -> dict[str, Any]:
        """As the decision point takes it, without attributes that are not there."""
        given = {name: each for name, each in self.attributes.items() if each not in (None, "")}
        return {**given, "type": self.kind, "id": self.id}


class Question(NamedTuple):
    """May somebody do `action` to a resource?"""

    action: str
    resource: Resource
    context: Mapping[str, Any] = {}


class Pep:
    """Asks the decision point of the settings. `about` gives attributes of a user who calls."""

    def __init__(
        self, settings: Settings, metrics: Metrics, traces: Traces, about: About | None = None
    ) -> None:
        kind, _, place = settings.authz.partition(":")
        self._metrics = metrics
        self._traces = traces
        self._about = about
        self._pdp: PDP | None = None
        if kind == "embedded":
            self._pdp = PDP.from_path(place)
        else:
            from taskman_authz.client import AsyncClient

            breaker = BreakerSettings(timeout=settings.breaker_timeout)
            self._client = AsyncClient(place, breaker=breaker)

    async def require(
        self,
        who: Caller,
        action: str,
        resource: Resource,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """Raises Denied with the reasons where `who` may not, Unavailable where nobody can say."""
        await self.require_all(who, [Question(action, resource, context or {})])

    async def require_all(self, who: Caller, questions: Sequence[Question]) -> None:
        """As `require`, of several, which are asked at once."""
        for decision in await self._decide(who, questions):
            _require(decision)

    async def require_and_ask(
        self, who: Caller, needed: Question, others: Sequence[Question]
    ) -> list[bool]:
        """As `require` of what is needed; and whether `who` may do the others, asked at once."""
        first, *rest = await self._decide(who, [needed, *others])
        _require(first)
        return [bool(each) for each in rest]

    async def allows(
        self, who: Caller, action: str, resource: Resource, context: Mapping[str, Any]
    ) -> bool:
        """Whether `who` may, for what has an answer of its own to a no. Raises Unavailable."""
        return bool((await self._decide(who, [Question(action, resource, context)]))[0])

    async def allowed(self, who: Caller, action: str, resources: Sequence[Resource]) -> list[bool]:
        """To which of the resources `who` may do it. Raises Unavailable."""
        questions = [Question(action, resource) for resource in resources]
        return [bool(each) for each in await self._decide(who, questions)]

    async def _decide(self, who: Caller, questions: Sequence[Question]) -> list[Decision]:
        subject = await self._subject(who)
        asked = [
            {
                "subject": subject,
                "action": each.action,
                "resource": each.resource.entity,
                "context": dict(each.context),
                "company_id": who.company_id or None,
            }
            for each in questions
        ]
        decisions: list[Decision] = []
        for start in range(0, len(asked), BATCH):
            decisions += await self._answers(asked[start : start + BATCH])
        for decision in decisions:
            self._metrics.checks.labels(who.company_id, str(decision.allowed).lower()).inc()
        return decisions

    async def _subject(self, who: Caller) -> dict[str, Any]:
        found = await self._about(who) if self._about and who.kind == "user" else {}
        said: dict[str, Any] = {"type": who.kind, "id": who.id, "roles": list(who.roles)}
        if who.company_id:
            said["company_id"] = who.company_id
        return {**found, **said}

    async def _answers(self, asked: list[dict[str, Any]]) -> list[Decision]:
        try:
            with self._traces.asking("decide", TIMEOUT) as call:
                if self._pdp is not None:
                    return self._pdp.batch_check(asked)
                timeout = min(call.left, TIMEOUT)
                return await self._client.batch_check(
                    asked, timeout=timeout, request_id=call.request_id
                )
        except (UnavailableError, RequestError) as error:
            raise Unavailable("there is no decision") from error

    async def close(self) -> None:
        """Give up the connection to a sidecar."""
        if self._pdp is None:
            await self._client.close()


def _require(decision: Decision) -> None:
    if not decision:
        raise Denied("; ".join(map(str, decision.reasons)) or "denied")
